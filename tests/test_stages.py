"""A backward pass stage by stage: the first wrong one is found, and what follows from it is told apart."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc

N, D, H, C = mc.dims("N D H C")
X, W, V = mc.matrix("X", N, D), mc.matrix("W", D, H), mc.matrix("V", H, C)
b, gamma, y = mc.vector("b", H), mc.vector("gamma", H), mc.vector("y", N)
z = mc.let("z", X @ W + b.T)
centred = mc.let("centred", z - mc.ones(N, 1) @ (mc.ones(1, N) @ z) / N)
h = mc.let("h", mc.tanh(centred * (mc.ones(N, 1) @ gamma.T)))
logits = mc.let("logits", h @ V)
logp = mc.let("logp", mc.log_softmax(logits, axis=1))
J = mc.let("J", -mc.sum(mc.take(mc.eye(C), y) * logp) / N)
ORDER = ["z", "centred", "h", "logits", "logp", "J"]


def at():
    r = np.random.default_rng(0)
    return {
        "X": r.normal(size=(6, 4)), "W": r.normal(size=(4, 5)), "b": r.normal(size=5), "gamma": r.normal(size=5),
        "V": r.normal(size=(5, 3)), "y": np.array([0, 2, 1, 1, 0, 2]),
    }  # fmt: skip


def loss(**values):
    return forward(**values)["J"]


def forward(X, W, b, gamma, V, y):
    z = X @ W + b
    centred = z - z.mean(0)
    h = np.tanh(centred * gamma)
    logits = h @ V
    logp = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    J = -logp[np.arange(len(y)), y].mean()
    return {"z": z, "centred": centred, "h": h, "logits": logits, "logp": logp, "J": J}


BUGS = {
    "dlogp": lambda d, _: -np.eye(3)[d["y"]],
    "dlogits": lambda d, right: -right,
    "dh": lambda d, _: d["dlogits"] @ d["V"].T * d["h"],
    "dcentred": lambda d, _: d["dh"] * (1 - d["h"] ** 2),
    "dz": lambda d, _: d["dcentred"],
    "dW": lambda d, right: right * 2,
    "db": lambda d, _: d["dz"].mean(0),
    "dgamma": lambda d, _: (d["dh"] * d["h"]).sum(0),
    "dV": lambda d, right: right[::-1],
}


def backward(bug=None, **values):
    """Everything by name, as from ``return locals()``, with one step wrong."""
    d = {**values, **forward(**values)}
    n, onehot = len(d["y"]), np.eye(3)[d["y"]]

    def put(key, right):
        d[key] = BUGS[key](d, right) if key == bug else right

    put("dlogp", -onehot / n)
    put("dlogits", d["dlogp"] - np.exp(d["logp"]) * d["dlogp"].sum(1, keepdims=True))
    put("dV", d["h"].T @ d["dlogits"])
    put("dh", d["dlogits"] @ d["V"].T)
    dpre = d["dh"] * (1 - d["h"] ** 2)
    put("dgamma", (dpre * d["centred"]).sum(0))
    put("dcentred", dpre * d["gamma"])
    put("dz", d["dcentred"] - d["dcentred"].mean(0))
    put("dW", d["X"].T @ d["dz"])
    put("db", d["dz"].sum(0))
    return d


# db is zero here, as before every centring, so a mean of it shows nowhere
@pytest.mark.parametrize("bug", [None, *(bug for bug in BUGS if bug != "db")])
def test_the_first_wrong_stage_is_the_one_that_is_wrong(bug):
    report = mc.check_gradient(loss, lambda **v: backward(bug, **v), at(), expression=J)
    stages = {stage.name: stage for stage in report.stages}
    assert [name for name in stages if name in ORDER] == ORDER  # forward first, in the order of computing
    assert list(stages)[6:11] == ["dlogp", "dlogits", "dh", "dcentred", "dz"]
    if bug is None:
        assert report.ok and report.first is None and all(stage.verdict == "ok" for stage in report.stages), str(report)
        return
    assert not report.ok
    assert report.first.name == bug, str(report)
    assert [s.name for s in report.stages if not s.ok and not s.after] == [bug]  # the others follow from it
    assert f"{bug} is " in str(report).splitlines()[-1]
    assert report.first.said


def test_only_the_first_is_marked_and_the_others_follow():
    text = str(mc.check_gradient(loss, lambda **v: backward("dlogits", **v), at(), expression=J))
    (line,) = [line for line in text.splitlines() if "the first that is wrong" in line]
    assert line.startswith("dlogits")
    assert "after dlogits" in text
    assert "the sign is wrong" in text


def test_a_mistake_is_named_as_an_answer_is():
    x, A, c = mc.vector("x", D), mc.matrix("A", H, D), mc.vector("c", H)
    q = mc.let("q", A @ x + c)
    s = mc.let("s", mc.sum(mc.tanh(q) ** 2))
    r = np.random.default_rng(0)
    values = {"A": r.normal(size=(4, 3)), "x": r.normal(size=3), "c": r.normal(size=4)}

    def wrong(A, x, c):
        t = np.tanh(A @ x + c)
        dq = 2 * t * (1 - t)  # the square is missing
        return {"dq": dq, "dx": A.T @ dq}

    report = mc.check_gradient(None, wrong, values, expression=s)
    assert report.first.name == "dq"
    answer = mc.check_answer(wrong(**values)["dq"], s, q, values=values)
    assert answer.diagnoses
    assert all(diagnosis in report.first.said[-1] for diagnosis in answer.diagnoses)
    assert report.name == "s"
    assert [row.name for row in report.rows] == ["x"]


def test_a_mistake_is_told_briefly():
    """Batch normalisation with N - 1 in one place has many forms; the same words are not said of each."""
    x, G = mc.matrix("x", N, D), mc.matrix("G", N, D)
    xc = mc.let("xc", x - mc.ones(N, 1) @ (mc.ones(1, N) @ x) / N)
    std = mc.let("std", mc.sqrt((xc**2).T @ mc.ones(N, 1) / N + 1e-5))
    s = mc.let("s", mc.sum(G * xc / (mc.ones(N, 1) @ std.T)))

    def wrong(x, G):
        xc = x - x.mean(0)
        std = np.sqrt((xc**2).mean(0) + 1e-5)
        dstd = -(G * xc).sum(0) / std**2
        dxc = G / std + xc * dstd / std / (len(x) - 1)
        return {"xc": xc, "std": std, "dstd": dstd, "dxc": dxc}

    r = np.random.default_rng(0)
    report = mc.check_gradient(None, wrong, {"x": r.normal(size=(6, 3)), "G": r.normal(size=(6, 3))}, expression=s)
    assert report.first.name == "dxc"
    (line,) = [line for line in report.first.said if line.startswith("it looks like this: ")]
    told = line.removeprefix("it looks like this: ").split("; or ")
    assert told[0].startswith("N − 1 where N belongs") and len(told) <= 2 and len(set(told)) == len(told)
    assert all(len(words) <= 60 for words in told), line


def test_forward_values_are_compared_too():
    def wrong(**values):
        d = backward(**values)
        d["h"] = d["h"] * 1.5
        return d

    report = mc.check_gradient(loss, wrong, at(), expression=J)
    assert report.first.name == "h"
    assert "3/2" in report.first.said[0]


def test_float32_is_approximate_and_stands():
    def single(**values):
        return {k: v.astype(np.float32) if k in ("dh", "h") else v for k, v in backward(**values).items()}

    report = mc.check_gradient(loss, single, at(), expression=J)
    assert {s.name for s in report.stages if s.verdict == "approximate"} == {"h", "dh"}
    assert report.ok


def test_what_is_not_handed_in_is_missing_and_not_wrong():
    def some(**values):
        d = backward(**values)
        return {k: d[k] for k in ("dh", "dW")}

    report = mc.check_gradient(None, some, at(), expression=J)
    verdicts = {s.name: s.verdict for s in report.stages}
    assert verdicts["dlogits"] == "missing" and verdicts["dh"] == "ok"
    assert "z" not in verdicts  # no forward value was handed in at all
    assert report.ok

    def worse(**values):
        d = backward("dlogits", **values)
        return {k: d[k] for k in ("dh", "dW")}

    report = mc.check_gradient(None, worse, at(), expression=J)
    assert report.first.name == "dh" and {s.name: s.after for s in report.stages}["dW"] == ("dh",)


@pytest.mark.parametrize("form", ["d{}", "d_{}", "grad_{}"])
def test_names_of_gradients(form):
    def named(**values):
        d = backward(**values)
        return {form.format(k[1:]): v for k, v in d.items() if k.startswith("d")}

    report = mc.check_gradient(loss, named, at(), expression=J)
    assert report.ok and {row.name for row in report.rows} == {"W", "b", "gamma", "V"}


def test_the_name_of_a_variable_is_its_value_beside_other_gradients():
    def plain(**values):
        return {k: backward(**values)["d" + k] for k in ("W", "V")}

    assert {s.name: s.verdict for s in mc.check_gradient(None, plain, at(), expression=J).stages} == {"W": "ok", "V": "ok"}
    report = mc.check_gradient(None, lambda **v: {"W": v["W"], "dz": backward(**v)["dz"]}, at(), expression=J)
    assert "W" not in {s.name for s in report.stages}


def test_a_wrong_shape_is_a_stage_that_is_wrong():
    def wrong(**values):
        d = backward(**values)
        return {**d, "dh": d["dh"][:2]}

    report = mc.check_gradient(loss, wrong, at(), expression=J)
    assert report.first.name == "dh" and report.first.verdict == "wrong shape"
    assert "(2, 5)" in str(report) and not report.ok
    with pytest.raises(mc.CheckError, match=r"of V has shape \(3, 5\).*transposed.*the first stage that is wrong is dh"):
        mc.check_gradient(loss, lambda **v: wrong(**v) | {"dV": wrong(**v)["dV"].T}, at(), expression=J)


def chain(scale):
    n = mc.dims("n")
    x = mc.vector("x", n)
    z = mc.let("z", mc.tanh(x))
    return mc.let("J", scale * mc.sum(z**2))


@pytest.mark.parametrize("scale", [1.0, 1e-14])
def test_a_stage_is_judged_by_its_own_scale_and_every_entry_by_its_own(scale):
    values = {"x": np.array([1e-9, 0.5, 2.0])}

    def backward(factors, x):
        z = np.tanh(x)
        dz = scale * 2 * z * factors
        return {"z": z, "dz": dz, "dx": scale * 2 * z * (1 - z * z)}

    for factors, ok in ((1.0, True), (2.0, False), (np.array([2.0, 1, 1]), False)):
        report = mc.check_gradient(None, lambda x, factors=factors: backward(factors, x), values, expression=chain(scale))
        assert {s.name: s.ok for s in report.stages}["dz"] is ok


def test_what_is_zero_to_rounding_is_no_mistake():
    """Before a centring the gradient of the bias is zero, and what is computed is some last digits."""
    report = mc.check_gradient(loss, lambda **v: backward(**v) | {"db": 3e-17 * np.ones(5)}, at(), expression=J)
    assert {s.name: s.verdict for s in report.stages}["db"] == "ok"
    assert not mc.check_gradient(loss, lambda **v: backward(**v) | {"db": 3e-10 * np.ones(5)}, at(), expression=J).ok


def test_a_stage_below_the_rounding_of_the_others_is_neither_right_nor_wrong():
    values = {"x": np.array([0.3, 0.5, 2.0])}
    report = mc.check_gradient(None, lambda x: {"z": np.tanh(x), "dz": 4e-17 * np.tanh(x)}, values, expression=chain(1e-17))
    assert not report.ok and report.first is None and "dz cannot be told from rounding" in str(report)

    n = mc.dims("n")
    J = mc.let("J", mc.sum(mc.let("h", mc.sigmoid(mc.let("z", mc.vector("x", n))))))
    for dz in (np.zeros(3), np.full(3, np.exp(-40.0))):  # h (1 - h) where h is saturated, in two ways
        assert mc.check_gradient(None, lambda x, dz=dz: {"h": np.ones(3), "dz": dz}, {"x": np.full(3, 40.0)}, expression=J).ok


def test_the_picture_shows_the_stages():
    svg = mc.check_gradient(loss, lambda **v: backward("dh", **v), at(), expression=J).to_svg()
    assert "stage dlogits: ok; stage dh: different" in svg and "✗ dh: different" in svg and "look at dh<" in svg


def test_what_cannot_be_compared_is_an_error():
    with pytest.raises(mc.CheckError, match="the gradient by z is called dz"):
        mc.check_gradient(None, lambda **v: {"foo": 1.0}, at(), expression=J)
    with pytest.raises(mc.CheckError, match="no value is given for V"):
        mc.check_gradient(None, backward, {k: v for k, v in at().items() if k != "V"}, expression=J)
    with pytest.raises(mc.CheckError, match="without an expression"):
        mc.check_gradient(None, backward, at())
    with pytest.raises(mc.CheckError, match="real numbers"):
        mc.check_gradient(None, lambda **v: {"dz": "zero"}, at(), expression=J)
    with pytest.raises(mc.ShapeError, match="scalar"):
        mc.check_gradient(None, backward, at(), expression=z)


def test_the_stages_have_a_plain_form():
    mc.set_ascii(True)
    try:
        text = str(mc.check_gradient(None, lambda **v: backward("dh", **v), at(), expression=J))
    finally:
        mc.set_ascii(False)
    assert text.isascii()
    assert "<- the first that is wrong" in text
