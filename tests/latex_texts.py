r"""What the tests of parse_latex share: leaves, and tables of LaTeX with what it means."""

from fractions import Fraction

import numpy as np
import sympy

import matcalc as mc
from matcalc.core.expression import const, node

n, m, k, N = mc.dims("n m k N")
W, x, w, c = mc.matrix("W", n, m), *mc.vectors("x w c", m)
b, u, z, y, yhat, delta = mc.vectors("b u z y yhat delta", n)
A, B, C, D = mc.matrices("A B C D", n)
S = mc.matrix("Sigma", n, symmetric=True)
X, G = mc.matrix("X", N, m), mc.matrix("G", N, k)
v, y_N = mc.vector("v", N), mc.vector("l", N)
t, s_c, lam, alpha = mc.scalars("t s_c lambda alpha")
W_hh, h_t, W_1 = mc.matrix("W_hh", n), mc.vector("h_{t-1}", n), mc.matrix("W^{(1)}", n, m)
a_1, a_2, U = mc.vector("a_1", n), mc.vector("a_2", k), mc.matrix("U", k, n)
f = mc.function("f")
h = mc.let("h", f(mc.let("q", W @ x + b)))
r = mc.let("r", u.T @ h)
LEAVES = {
    e.name: e
    for e in (
        *(W, x, w, c, b, u, z, y, yhat, delta, A, B, C, D, S, X, G, v, y_N, t, s_c, lam, alpha, W_hh, h_t, W_1, a_1, a_2),
        *(U, h, r),
    )
} | {"f": f}  # fmt: skip
ones_n = mc.ones(n)


def derivative(order):
    return node(f.derivative(order), (z,))


# As students type it: the same node.
TYPED = {
    # names and styles
    r"\mathbf{u}^\top f(\mathbf{W}\mathbf{x} + \mathbf{b})": u.T @ f(W @ x + b),
    r"u^T f(Wx+b)": u.T @ f(W @ x + b),
    r"$u^{\intercal}f\left(Wx+b\right)$": u.T @ f(W @ x + b),
    r"\[ \boldsymbol{u}^{\mathsf T} f\bigl( \mathbf{Wx} + \bm b \bigr). \]": u.T @ f(W @ x + b),
    r"u' f(W\,x\;+\!\quad b)": u.T @ f(W @ x + b),
    r"{\bf u}^{\rm T} f({\bf W}{\bf x} + {\bf b})": u.T @ f(W @ x + b),
    r"\begin{equation*} u^\top f(Wx + b) \end{equation*}": u.T @ f(W @ x + b),
    r"W_{hh} h_{t-1} + W^{(1)} x": W_hh @ h_t + W_1 @ x,
    r"W_{hh}^\top \mathbf{h}_{t-1}": W_hh.T @ h_t,
    r"{W^{(1)}}^\top \delta": W_1.T @ delta,
    r"\hat y - y": yhat - y,
    r"\hat{\mathbf{y}} - \widehat{y}": yhat - yhat,
    r"\lambda s_c \alpha": lam * s_c * alpha,
    r"\lambda\mathrm{s}_{\mathrm c}": lam * s_c,
    "δ ∘ ŷ": delta * yhat,
    r"a_1 + \mathbf a_1 + a1": a_1 + a_1 + a_1,
    # functions
    r"\log(x) + \ln x": mc.log(x) + mc.log(x),
    r"\log\det\Sigma": mc.logdet(S),
    r"\det A^{-1}": mc.det(mc.inv(A)),
    r"\operatorname{tr}(A^{\mathsf T} B A)": mc.trace(A.T @ B @ A),
    r"\mathrm{Tr}(A) + \text{tr}\, B": mc.trace(A) + mc.trace(B),
    r"\exp(-t) + e^{-t} + e^t": mc.exp(-t) + mc.exp(-t) + mc.exp(t),
    r"\mathrm{softmax}(U\,\mathrm{ReLU}(Wx + a_1) + a_2)": mc.softmax(U @ mc.relu(W @ x + a_1) + a_2),
    r"-\mathbf y^\top\log(\mathrm{softmax}(z))": -(y.T @ mc.log(mc.softmax(z))),
    r"\sigma(z) \odot (1 - \sigma(z))": mc.sigmoid(z) * (1 - mc.sigmoid(z)),
    r"\max(0, 1 - t + s_c)": mc.maximum(0, 1 - t + s_c),
    r"\max\{t, s_c\}": mc.maximum(t, s_c),
    r"\tanh^2(z) + \sin^{2} z": mc.tanh(z) ** 2 + mc.sin(z) ** 2,
    r"\tanh(z)^2": mc.tanh(z) ** 2,
    r"\log\log\left[t\right]": mc.log(mc.log(t)),
    r"t \log s_c": t * mc.log(s_c),
    r"f'(z) + f''(z) + f^\prime(z) + f^{(4)}(z)": f.prime(z) + derivative(2) + f.prime(z) + derivative(4),
    r"\operatorname{diag}(f'(z))": mc.diag(f.prime(z)),
    r"\operatorname{softmax}_{\text{row}}(A)": mc.softmax(A, axis=1),
    r"\mathrm{vec}(A)": mc.vec(A),
    r"\operatorname{hard\_tanh}(z)": mc.hard_tanh(z),
    r"\min(t, 0)": mc.minimum(t, 0),
    r"\max(x)": mc.max(x),
    # powers, inverses, fractions, roots
    r"A^{-1} + A^{-\top} + A^{-T}": mc.inv(A) + mc.inv(A).T + mc.inv(A).T,
    r"A^2": mc.matrix_power(A, 2),
    r"A^{\circ 2} + A^{\odot 2}": A**2 + A**2,
    r"z^{\odot 2} + z^2": z**2 + z**2,
    r"t^{-1} + t^{3/2}": t**-1 + t ** Fraction(3, 2),
    r"\frac12 x + \tfrac{1}{2}x + 0.5 x": Fraction(1, 2) * x + Fraction(1, 2) * x + 0.5 * x,
    r"\frac{1}{1+e^{-z}}": 1 / (1 + mc.exp(-z)),
    r"-\frac{y}{\hat y}": -(y / yhat),
    r"\frac{x}{\sqrt{t}} + \sqrt[3]t x": x / mc.sqrt(t) + t ** Fraction(1, 3) * x,
    r"x/t": x / t,
    r"2 \cdot 3 \cdot t": const(6) * t,
    r"\frac1n x": x / n,
    # norms, bars, inner products
    r"\tfrac12\lVert Wx-b\rVert_2^2": Fraction(1, 2) * mc.norm(W @ x - b) ** 2,
    r"\|x\|_1 + \|x\|_2 + \|x\|": mc.norm(x, 1) + mc.norm(x) + mc.norm(x),
    r"\|x\|^2_2": mc.norm(x) ** 2,
    r"\left\| A \right\|_F + \lVert A \rVert_* + \|A\|_2": mc.norm(A) + mc.norm(A, "nuc") + mc.norm(A, 2),
    r"\|x\|_\infty": mc.norm(x, float("inf")),
    r"|t| + \lvert x \rvert^\top x + \left|t\right|": abs(t) + abs(x).T @ x + abs(t),
    r"\lambda \|x\| \|w\|": lam * mc.norm(x) * mc.norm(w),
    r"\langle x, w\rangle + \left\langle A, B \right\rangle": x.T @ w + mc.trace(A.T @ B),
    # products
    r"x \odot w \circ c": x * w * c,
    r"A \otimes B": mc.kron(A, B),
    r"t \cdot x + 2\times t x": t * x + 2 * t * x,
    r"(A + B)(C - D)": (A + B) @ (C - D),
    r"A(B)C": A @ B @ C,
    r"x w^\top": x @ w.T,
    # constants
    r"\mathbf{1}^\top z": ones_n.T @ z,
    r"\mathbf 1_n^\top z": ones_n.T @ z,
    r"I z + I_n z + \mathbf{I} z": z + z + z,
    r"A + I": A + mc.eye(n),
    r"A + I_{n \times n} + \mathbf{1}_n\mathbf{1}_n^\top": A + mc.eye(n) + ones_n @ ones_n.T,
    r"(A^\top A + \lambda I)^{-1} A^\top b": mc.inv(A.T @ A + lam * mc.eye(n)) @ A.T @ b,
    r"\mathbf{0}_n + z": mc.zeros(n) + z,
    r"\mathbb 1\{z > 0\} + \mathbf{1}[z > 0] + \mathbb{1}_{z > 0} + \mathbf 1(z > 0) + \mathbb{1}_{\{z>0\}}": (z > 0)
    + (z > 0) + (z > 0) + (z > 0) + (z > 0),
    r"\mathbb{1}[z \le y]": z <= y,
    r"\pi t": const(sympy.pi) * t,
    r"n x": n * x,
    # parts and blocks
    r"x_1 + x_{2}": x[0] + x[1],
    r"x_{1:2}": x[0:2],
    r"W_{2,3} + t": W[1, 2] + t,
    r"W_{1,:} x": W[0, :] @ x,
    r"A_{:,1}": A[:, 0],
    r"x_m": x[m - 1],
    r"(Wx)_2": (W @ x)[1],
    r"\begin{bmatrix} A & B \\ C & D\end{bmatrix}": mc.block([[A, B], [C, D]]),
    r"\begin{pmatrix} x \\ z \\ \end{pmatrix}": mc.concat([x, z]),
    r"\begin{bmatrix} x \\ 1 \end{bmatrix}": mc.concat([x, 1]),
    r"\begin{bmatrix}1 & 2\\3 & 4\end{bmatrix}": mc.block([[1, 2], [3, 4]]),
    r"\begin{bmatrix} 0 \\ 1 \end{bmatrix} t": mc.concat([0, 1]) * t,
    r"e_2^\top x": mc.one_hot(1, m).T @ x,
    # derivatives
    r"\frac{\partial r}{\partial W}": mc.grad(r, W),
    r"\frac{\partial h}{\partial x}": mc.jacobian(h, x),
    r"\nabla_x r": mc.grad(r, x),
    r"\nabla_{z}(z^\top A z)": mc.grad(z.T @ A @ z, z),
    r"\frac{\partial}{\partial z}(z^\top A z)": mc.grad(z.T @ A @ z, z),
}  # fmt: skip

# Sums over an index, each with its meaning as loops over numbers.
LENGTHS = {n: 3, m: 4, k: 2, N: 5}
SUMS = {
    r"-\sum_i y_i \log \hat y_i": lambda g: -sum(g.y[i] * np.log(g.yhat[i]) for i in range(3)),
    r"\sum_{i=1}^n y_i z_i": lambda g: sum(g.y[i] * g.z[i] for i in range(3)),
    r"\sum_{i=1}^{N} (l_i - w^\top x_i)^2": lambda g: sum((g.l[i] - g.w @ g.X[i]) ** 2 for i in range(5)),
    r"\frac{1}{N}\sum_{i=1}^{N} (l_i - w^\top x_i)^2 + \lambda \|w\|^2": lambda g: sum(
        (g.l[i] - g.w @ g.X[i]) ** 2 for i in range(5)) / 5 + g.lam * g.w @ g.w,
    r"\sum_{i=1}^N \max(0, 1 - l_i w^\top x_i)": lambda g: sum(max(0, 1 - g.l[i] * (g.w @ g.X[i])) for i in range(5)),
    r"\sum_{j=1}^{m} \| x_j \|_2^2": lambda g: sum(g.X[:, j] @ g.X[:, j] for j in range(4)),
    r"\sum_{i=1}^N \log(1 + e^{-l_i w^\top x_i})": lambda g: sum(
        np.log(1 + np.exp(-g.l[i] * (g.w @ g.X[i]))) for i in range(5)),
    r"\sum_{i,j} A_{ij} z_i y_j": lambda g: sum(g.A[i, j] * g.z[i] * g.y[j] for i in range(3) for j in range(3)),
    r"\sum_{ij} A_{i,j}^2": lambda g: sum(g.A[i, j] ** 2 for i in range(3) for j in range(3)),
    r"\sum_i \sum_{j=1}^{n} A_{ji} z_i y_j": lambda g: sum(g.A[j, i] * g.z[i] * g.y[j] for i in range(3) for j in range(3)),
    r"\sum_{i}\left(z_i - \sum_j A_{ij} y_j\right)^2": lambda g: sum(
        (g.z[i] - sum(g.A[i, j] * g.y[j] for j in range(3))) ** 2 for i in range(3)),
    r"\sum_i A_{ii}": lambda g: sum(g.A[i, i] for i in range(3)),
    r"\sum_{i,j,p} A_{ij} B_{jp} C_{pi}": lambda g: sum(
        g.A[i, j] * g.B[j, p] * g.C[p, i] for i in range(3) for j in range(3) for p in range(3)),
    r"\log \sum_j e^{z_j}": lambda g: np.log(sum(np.exp(g.z[j]) for j in range(3))),
    r"-\log\frac{e^{z_1}}{\sum_j e^{z_j}}": lambda g: -np.log(np.exp(g.z[0]) / sum(np.exp(g.z[j]) for j in range(3))),
    r"\sum_i z_i \sum_j A_{ij}": lambda g: sum(g.z[i] * sum(g.A[i, j] for j in range(3)) for i in range(3)),
    r"\sum_i \sum_j (A_{ij} - z_i y_j)^2": lambda g: sum((g.A[i, j] - g.z[i] * g.y[j]) ** 2 for i in range(3) for j in range(3)),
    r"\sum_i \lvert A_{i,1} - z_i \rvert": lambda g: sum(abs(g.A[i, 0] - g.z[i]) for i in range(3)),
    r"\sum_i (Ay - z)_i^2": lambda g: sum((g.A @ g.y - g.z)[i] ** 2 for i in range(3)),
    r"\sum_i \| X_{i,:} - w^\top \|": lambda g: sum(np.sqrt(sum((g.X[i] - g.w) ** 2)) for i in range(5)),
    r"\sum_i X_{i,:}^\top X_{i,:}": lambda g: sum(np.outer(g.X[i], g.X[i]) for i in range(5)),
    r"\sum_{i=1}^N x_i x_i^\top": lambda g: sum(np.outer(g.X[i], g.X[i]) for i in range(5)),
    r"\sum_{i=1}^N l_i x_i": lambda g: sum(g.l[i] * g.X[i] for i in range(5)),
    r"\sum_i A_{:,i} z_i": lambda g: sum(g.A[:, i] * g.z[i] for i in range(3)),
    r"\sum_{i=1}^{n} 1 + \sum_{i=1}^n t": lambda g: 3 + 3 * g.t,
    r"t \sum_i z_i \cdot y_i": lambda g: g.t * sum(g.z[i] * g.y[i] for i in range(3)),
    r"\sum_i (y_i \log \hat y_i + (1 - y_i) \log(1 - \hat y_i))": lambda g: sum(
        g.y[i] * np.log(g.yhat[i]) + (1 - g.y[i]) * np.log(1 - g.yhat[i]) for i in range(3)),
    r"\sum_i - z_i^3": lambda g: sum(-g.z[i] ** 3 for i in range(3)),
    r"\left(\sum_i z_i\right)\left(\sum_j y_j\right)": lambda g: sum(g.z) * sum(g.y),
    r"\sum_i z_i \sum_j y_j": lambda g: sum(g.z) * sum(g.y),
    r"\sum_p \sum_i X_{ip} w_p": lambda g: sum(g.X[i, p] * g.w[p] for i in range(5) for p in range(4)),
    r"\sum_{i=1}^{N} \operatorname{softmax}(x_i)_2": lambda g: sum(np.exp(g.X[i])[1] / sum(np.exp(g.X[i])) for i in range(5)),
}  # fmt: skip
