"""A softmax classifier draws straight lines; one hidden layer bends them: three arms of a spiral in the plane.

    python examples/demonstrations/spiral.py [FOLDER]

Trains both models by full steps θ ← θ − α∇J(θ) on generated gradients, prints how many points each gets right, and writes the
regions that they tell apart as spiral_linear.svg and spiral_hidden.svg. (ConvNetJS has such a demonstration in a browser.)
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from ner.svg import COLOURS, INK, Drawing, Frame

import matcalc as mc

CLASSES, HIDDEN = 3, 32
x, y = mc.vector("x", 2), mc.scalar("y")


def linear():
    """a = W x + b, and what is learned."""
    W, b = mc.matrix("W", CLASSES, 2), mc.vector("b", CLASSES)
    return W @ x + b, [W, b]


def hidden():
    """a = U tanh(W x + b) + c, and what is learned."""
    W, b = mc.matrix("W", HIDDEN, 2), mc.vector("b", HIDDEN)
    U, c = mc.matrix("U", CLASSES, HIDDEN), mc.vector("c", CLASSES)
    return U @ mc.let("h", mc.tanh(mc.let("z", W @ x + b))) + c, [U, c, W, b]


def spiral(each=100, seed=0):
    """Points (3·each, 2) on three arms, and the number of their arm."""
    rng = np.random.default_rng(seed)
    arm = np.repeat(np.arange(CLASSES), each)
    radius = np.tile(np.linspace(0.05, 1, each), CLASSES)
    angle = 4 * radius + arm * 2 * np.pi / CLASSES + rng.normal(0, 0.1, len(arm))
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1), arm


def trained(model, points, arm, steps=2000, alpha=1.0, seed=0):
    """Learns the scores a of a point x; gives a function from points to arms."""
    scores, parameters = model
    loss = mc.let("J", mc.softmax_cross_entropy(mc.let("a", scores), mc.one_hot(y, CLASSES)))
    code = mc.to_numpy(loss, parameters, batch="rows", data=[x, y], fast=True)
    rng = np.random.default_rng(seed)
    theta = {str(p.name): rng.normal(size=[int(k) for k in p.shape if k != 1]) for p in parameters}
    for _ in range(steps):
        _, gradients = code.value_and_grad(X=points, y=arm, **theta)
        for name in theta:
            theta[name] -= alpha * gradients[name]
    output = mc.to_numpy(scores, [], "a", batch="rows", data=[x])
    return lambda points: output.forward(X=points, **theta)[0].argmax(axis=1)


def picture(says, points, arm, title, cells=110):
    """The regions, and the points on them."""
    drawing = Drawing(500, 520)
    reach = 1.15
    frame = Frame(drawing, (30, 50, 440, 440), (-reach, reach), (-reach, reach))
    middles = (np.arange(cells) + 0.5) / cells * 2 * reach - reach
    grid = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)
    side = 440 / cells
    for (left, up), k in zip(grid, says(grid), strict=True):
        px, py = frame.at(left, up)
        drawing.rectangle(px - side / 2, py - side / 2, side + 0.5, side + 0.5, PALE[k])
    for point, k in zip(points, arm, strict=True):
        drawing.circle(*frame.at(*point), 3, COLOURS[k], "#ffffff")
    drawing.text(30, 32, title, INK, 14)
    return drawing


PALE = ("#cfe2f0", "#f6dccb", "#cdebe1")


def main(folder=None, steps=2000):
    """Prints, and gives, the part of the points that each model gets right."""
    points, arm = spiral()
    found = {}
    for name, model, title in (("linear", linear(), "softmax(W x + b)"), ("hidden", hidden(), "softmax(U tanh(W x + b) + c)")):
        says = trained(model, points, arm, steps)
        found[name] = float(np.mean(says(points) == arm))
        print(f"{name}: {found[name]:.0%} of the points are right, {title}")
        if folder is not None:
            path = Path(folder) / f"spiral_{name}.svg"
            print(f"wrote {picture(says, points, arm, f'{title}: {found[name]:.0%} right').write(path)}")
    return found


if __name__ == "__main__":
    main(*sys.argv[1:2])
