"""The window classifier of the lecture, from the formula to a gradient step.

    python examples/window_classifier.py

Derives the max-margin loss with its corrupt window, generates the NumPy module, checks every gradient, and takes a few steps
θ ← θ − α ∇J(θ) on one pair of windows with the generated code.
"""

import numpy as np

import matcalc as mc

WORDS = ("museums", "in", "Paris", "are", "amazing")


def classifier(d=4, hidden=8):
    """J = max(0, 1 − s + s_c), with s = uᵀ tanh(W x + b) of a window of five words, and its parameters."""
    W = mc.matrix("W", hidden, 5 * d)
    b, u = mc.vectors("b u", hidden)
    words = {word: mc.vector(f"x_{word}", d) for word in WORDS}
    x = mc.let("x", mc.concat([words[word] for word in WORDS]))
    corrupt = mc.vector("x_c", 5 * d)

    def score(window, mark=""):
        h = mc.let(f"h{mark}", mc.tanh(mc.let(f"z{mark}", W @ window + b)))
        return mc.let(f"s{mark}", u.T @ h)

    J = mc.let("J", mc.hinge(1 - score(x) + score(corrupt, "_c")))
    return J, [W, b, u, *words.values()]


def main(steps=200, alpha=0.1, seed=0):
    """Prints the derivation and the check, trains on one pair of windows, and returns the losses."""
    J, parameters = classifier()
    derivation = mc.derive(J, parameters)
    print(derivation)
    report = derivation.check()
    print(f"\n{report}\n")
    code = derivation.to_numpy(name="margin")

    rng = np.random.default_rng(seed)
    theta = {p.name: rng.normal(size=[int(k) for k in p.shape if k != 1]) / 4 for p in parameters}
    corrupt = rng.normal(size=20)
    losses = []
    for _ in range(steps):
        loss, gradients = code.value_and_grad(x_c=corrupt, **theta)
        losses.append(float(loss))
        for name, gradient in gradients.items():
            theta[name] -= alpha * gradient  # the shape convention: the shapes agree
    print(f"loss {losses[0]:.3f} at the first step, {losses[-1]:.3f} at the last")
    return losses


if __name__ == "__main__":
    main()
