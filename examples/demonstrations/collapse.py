"""Layers without a nonlinearity between them are one layer: W₁W₂x = Wx with W = W₁W₂. With one, they are not.

    python examples/demonstrations/collapse.py

The Jacobian by x says it: W₁W₂, the same at every x, so that the layers are x ↦ W₁W₂x. With f between them it is
W₁ diag(f′(W₂x)) W₂, which depends on x, so no single matrix does what they do.
"""

import matcalc as mc

n, k, m = mc.dims("n k m")
W1, W2, x = mc.matrix("W_1", n, k), mc.matrix("W_2", k, m), mc.vector("x", m)


def jacobian(f=lambda z: z):
    """∂y/∂x of two layers y = W₁ f(W₂ x), f acting entry by entry."""
    return mc.jacobian(W1 @ f(mc.let("z", W2 @ x)), x)


def collapses(f=lambda z: z):
    """The one matrix that does what the layers do, or None where there is none: a Jacobian without x that takes x to y."""
    found = jacobian(f)
    constant = mc.jacobian(found, x) is mc.zeros(n * m, m)
    return found if constant and mc.simplify(W1 @ f(W2 @ x) - found @ x) is mc.zeros(n) else None


def main():
    """Prints both Jacobians, and gives the two answers."""
    without, between = collapses(), collapses(mc.tanh)
    print(f"y = W₁W₂x         ∂y/∂x = {jacobian()}: one layer, W = {without}")
    print(f"y = W₁ tanh(W₂x)  ∂y/∂x = {jacobian(mc.tanh)}: {'no single W' if between is None else between}")
    return without, between


if __name__ == "__main__":
    main()
