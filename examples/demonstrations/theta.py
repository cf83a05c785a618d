"""All parameters as one vector θ in the order of the slides: the columns of W one below the other, then the word vectors.

    python examples/demonstrations/theta.py

θ = [W_·1; …; W_·d; x_aardvark; …; x_zebra] in R^{Cd+Vd}, with the gradient stacked alike, and the update of all of them at once,
θ ← θ − α∇J(θ). NumPy lays matrices out row by row: W.ravel() is another order, and W.ravel(order="F") is that of the slides.
"""

import numpy as np

import matcalc as mc

C, d, V = mc.dims("C d V")
W, L = mc.matrix("W", C, d), mc.matrix("L", V, d)  # a row of L for each word
word, y = mc.scalar("word"), mc.scalar("y")
J = mc.let("J", mc.softmax_cross_entropy(mc.let("f", W @ mc.take(L, word).T), mc.one_hot(y, C)))


def packed(W, L):
    """One vector: W(:), the columns of W, and below it the vector of every word."""
    return np.concatenate([W.ravel(order="F"), L.ravel()])


def unpacked(theta, classes, length, words):
    """W and L of a vector, as views of it: a change of θ changes them."""
    if theta.shape != (classes * length + words * length,):
        raise ValueError(
            f"θ has {theta.size} entries, but {classes}·{length} + {words}·{length} = {classes * length + words * length}"
        )
    return theta[: classes * length].reshape(length, classes).T, theta[classes * length :].reshape(words, length)


def size(classes, length, words):
    """Cd + Vd, how many parameters there are."""
    return classes * length + words * length


def steps(theta, classes, length, words, ids, labels, alpha=0.5, count=50):
    """Updates of all parameters at once; the losses before each."""
    code = mc.to_numpy(J, [W, L], batch="rows", data=[word, y])
    losses = []
    for _ in range(count):
        now = dict(zip("WL", unpacked(theta, classes, length, words), strict=True))
        loss, gradients = code.value_and_grad(word=ids, y=labels, **now)
        theta -= alpha * packed(gradients["W"], gradients["L"])
        losses.append(float(loss))
    return losses


def main():
    """Prints the size of θ, the order of its entries, and the losses of a few updates."""
    print(f"C = 5, d = 50, V = 20,000: θ has 5·50 + 20,000·50 = {size(5, 50, 20_000):,} entries")
    small = np.arange(6.0).reshape(2, 3)
    print(f"W = {small.tolist()}: W(:) = {small.ravel(order='F').tolist()}, but NumPy's W.ravel() = {small.ravel().tolist()}")
    rng = np.random.default_rng(0)
    theta = rng.normal(0, 0.5, size(3, 4, 6))
    losses = steps(theta, 3, 4, 6, np.arange(6), np.arange(6) % 3)
    print(f"loss {losses[0]:.3f} at the first update of θ, {losses[-1]:.3f} at the last")
    return losses


if __name__ == "__main__":
    main()
