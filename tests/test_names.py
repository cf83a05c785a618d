"""How names are written, and which are refused."""

import keyword
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import matcalc as mc
from matcalc.core import names

WRITTEN = [  # name, text, LaTeX, Python, ASCII
    ("x", "x", "x", "x", "x"),
    ("W1", "W₁", "W_{1}", "W1", "W1"),
    ("W_12", "W₁₂", "W_{12}", "W_12", "W_12"),
    ("s_c", "s_c", "s_{c}", "s_c", "s_c"),
    ("W_hh", "Wₕₕ", "W_{hh}", "W_hh", "W_hh"),
    ("x_museums", "x_museums", r"x_{\text{museums}}", "x_museums", "x_museums"),
    ("h_{t-1}", "hₜ₋₁", "h_{t-1}", "h_t_1", "h_{t-1}"),
    ("W^{(1)}", "W⁽¹⁾", "W^{(1)}", "W_1", "W^{(1)}"),
    ("delta^{(10)}", "δ⁽¹⁰⁾", r"\delta^{(10)}", "delta_10", "delta^{(10)}"),
    ("W_{ij}^{(2)}", "Wᵢⱼ⁽²⁾", "W_{ij}^{(2)}", "W_ij_2", "W_{ij}^{(2)}"),
    ("x^{k}", "xᵏ", "x^{k}", "x_k", "x^{k}"),
    ("delta", "δ", r"\delta", "delta", "delta"),
    ("δ", "δ", r"\delta", "delta", "delta"),
    ("delta_1", "δ₁", r"\delta_{1}", "delta_1", "delta_1"),
    ("theta_old", "θ_old", r"\theta_{\text{old}}", "theta_old", "theta_old"),
    ("x_{alpha}", "x_alpha", r"x_{\alpha}", "x_alpha", "x_{alpha}"),
    ("lambda", "λ", r"\lambda", "lambda_", "lambda"),
    ("yhat", "ŷ", r"\hat{y}", "yhat", "yhat"),
    ("ŷ", "ŷ", r"\hat{y}", "yhat", "yhat"),
    ("thetahat_1", "θ̂₁", r"\hat{\theta}_{1}", "thetahat_1", "thetahat_1"),
    ("xbar", "x̄", r"\bar{x}", "xbar", "xbar"),
    ("score", "score", r"\text{score}", "score", "score"),
    ("dW", "dW", "dW", "dW", "dW"),
    ("a_{b_c_d}", "a_b,c,d", "a_{b,c,d}", "a_b_c_d", "a_{b_c_d}"),
    ("naïve", "naïve", r"\text{naïve}", "naive", "naive"),
    ("Ж", "Ж", r"\text{Ж}", "u0416", "u0416"),
    ("np", "np", "np", "np_", "np"),
]


@pytest.mark.parametrize("name, text, latex, python, ascii", WRITTEN)
def test_a_name_is_written(name, text, latex, python, ascii):
    assert names.checked(name) == name
    assert (names.text(name), names.latex(name), names.python(name), names.ascii(name)) == (text, latex, python, ascii)


HOSTILE = ["", "1x", "x y", "x;y", "x\ny", "$x$", "\\x", "x'", "x()", "__import__('os')", "x}", "x_{}", "x^{", "x_{a}b", "x^{-1}"]
LIKE_AN_OPERATION = ["x²", "Wᵀ", "x₁", "W^{T}", "𝐖"]


@pytest.mark.parametrize("name", [*HOSTILE, *LIKE_AN_OPERATION, "x" * 61, 3, None])
def test_what_is_not_a_name_is_refused(name):
    with pytest.raises(mc.MatcalcError, match="name"):
        mc.scalar(name)


def test_composed_and_decomposed_accents_are_one_name():
    assert mc.scalar("y\u0302") is mc.scalar("ŷ")


@given(st.text(st.sampled_from(string.ascii_letters + "αδθΣ" + string.digits + "_"), min_size=1, max_size=12))
def test_every_name_is_safe_in_python_and_in_latex(name):
    try:
        names.checked(name)
    except mc.MatcalcError:
        return
    identifier = names.python(name)
    assert identifier.isidentifier() and identifier.isascii() and not keyword.iskeyword(identifier)
    shown = names.latex(name)
    assert shown.isascii() and shown.count("{") == shown.count("}") and shown.count("_{") <= 1
    assert names.ascii(name).isascii()
