"""Functions on request in other array libraries: Hessians, Jacobians and products with them, against those of NumPy."""

import numpy as np
import pytest

import matcalc as mc

n, m, k = mc.dims("n m k")
w, x, y = mc.vector("w", m), mc.vector("x", m), mc.scalar("y")
W, b, u = mc.matrix("W", n, m), mc.vector("b", n), mc.vector("u", n)
T, U, V = mc.matrix("T", n, m), mc.matrix("U", n, k), mc.matrix("V", m, k)
RNG = np.random.default_rng(0)
ARRAYS = {"W": (3, 4), "x": 4, "b": 3, "u": 3, "w": 4, "X": (5, 4), "y": 5, "T": (3, 4), "U": (3, 2), "V": (4, 2)}
AT = {key: RNG.standard_normal(shape) for key, shape in ARRAYS.items()}
CASES = {
    "regression": (
        mc.softplus(-y * (x.T @ w)) + 0.5 * mc.norm(w) ** 2,
        [w],
        {"batch": "rows", "data": [x, y], "also": ["hessian", "hvp", "jvp", "vjp"]},
    ),
    "score": (u.T @ mc.tanh(W @ x + b), [W, x], {"also": ["hessian", "hvp", "jacobian", "jvp", "vjp"]}),
    "softmax": (mc.logsumexp(W @ x), [x], {"also": ["hessian"]}),
    "factors": (mc.norm(T - U @ V.T) ** 2, [U], {"also": ["hessian", "hessian_factors"]}),
}
LIBRARIES = {"array_api_strict": "asarray", "torch": "tensor", "jax.numpy": "asarray"}


def flat(found):
    if isinstance(found, (tuple, list)):
        return [e for part in found for e in flat(part)]
    return [np.asarray(found)]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("case", CASES)
def test_functions_on_request(case, library):
    pytest.importorskip("array_api_compat")
    made = getattr(pytest.importorskip(library), LIBRARIES[library])
    loss, wrt, options = CASES[case]
    ours = mc.to_numpy(loss, wrt=wrt, name="f", **options)
    theirs = mc.to_array_api(loss, wrt=wrt, name="f", **options)
    for which in options["also"]:
        names = [p for p in ours.functions[f"f_{which}"].__annotations__ if p != "return"]
        given = {p: AT[p] if p in AT else np.float64(0.7) if p == "dout" else AT[p[1:]] + 1 for p in names}
        wanted = flat(ours.functions[f"f_{which}"](**given))
        found = flat(theirs.functions[f"f_{which}"](**{p: made(a) for p, a in given.items()}))
        tolerance = 1e-4 if library == "jax.numpy" else 1e-10  # JAX may have float32 alone
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
