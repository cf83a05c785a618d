"""A derivation to hand in: softmax regression with cross-entropy, as a LaTeX document.

python examples/homework.py softmax.tex
"""

import sys
from pathlib import Path

import matcalc as mc


def derivation():
    """J = −yᵀ log ŷ with ŷ = softmax(W x + b), by W, b and x."""
    C, m = mc.dims("C m")
    W, b = mc.matrix("W", C, m), mc.vector("b", C)
    x, y = mc.vector("x", m), mc.vector("y", C, distribution=True)  # labels: their entries sum to one
    f = mc.let("f", W @ x + b)
    yhat = mc.let("yhat", mc.softmax(f))
    return mc.derive(mc.let("J", mc.cross_entropy(y, yhat)), wrt=[W, b, x])


def main(path="softmax.tex"):
    """Writes the document, after checking every gradient."""
    d = derivation()
    assert d.check().ok
    Path(path).write_text(d.to_latex(standalone=True), encoding="utf-8")
    print(f"{path}: δ = {d.errors['δ']}, ∂J/∂W = {d['W']}, ∂J/∂b = {d['b']}, ∂J/∂x = {d['x']}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
