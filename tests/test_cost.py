"""What generated code costs: against hand counts, against the arrays in the cache, and against the memory that is measured."""

import tracemalloc

import numpy as np
import pytest
import sympy
from batches import drawn, stacked
from modules import GOLDEN_NAMES, LECTURE, W, b, golden, k, m, n, score, u, v, x
from table_examples import LENGTHS as LENGTHS_OF_TABLE
from table_examples import examples
from test_batch import LENGTHS, MODELS, SOURCES, module

import matcalc as mc
from matcalc.code.cost import text
from matcalc.code.generated import Generated
from matcalc.core.expression import node
from matcalc.core.operations import TABLE, _elementwise
from matcalc.derivations.cost import EACH, FUNCTION, OF_MATRIX

N, H, C = mc.dims("N H C")
F = FUNCTION


def flops(code):
    cost = code.cost()
    return [sympy.expand(w.flops) for w in (cost.forward, cost.backward, cost.alone, cost.jacobians)]


# ---- hand counts -----------------------------------------------------------------------------------------------------------
def test_the_score_of_the_lecture():
    code = mc.derive(score(mc.tanh), [u, W, b, x]).to_numpy(name="score")
    forward = 2 * n * m + n + F * n + 2 * n  # W @ x, + b, tanh, u @ h
    delta = 4 * n  # dout * u, h * h, 1 - ., the product
    backward = n + delta + n * m + 2 * n * m  # dout * h, delta, delta xᵀ, Wᵀ delta; db is delta
    alone = backward + 2 * delta  # W, b and x each need it
    by_jacobians = 4 * n + 3 * (2 * n * n) + (2 * n * n * m + 2 * n * n + 2 * n * m)
    # s by h four times, h by z thrice, z by W, b, x: the diagonal ones as matrices
    assert flops(code) == [sympy.expand(e) for e in (forward, backward, alone, by_jacobians)]
    cost = code.cost()
    assert cost.total.flops == sympy.expand(forward + backward)
    assert (cost.forward.reads, cost.forward.writes) == (n * m + m + 2 * n + n + 2 * n, 3 * n)
    assert (cost.cached, cost.arguments) == (8 * n, 8 * (n + n * m + m).expand())


def test_an_affine_layer_of_a_batch():
    code = mc.to_numpy(W @ x + b, [W, b, x], name="affine", batch="rows", data=[x])
    forward, backward, alone, by_jacobians = flops(code)
    assert forward == sympy.expand(2 * N * n * m + N * n)
    assert backward == alone == sympy.expand(2 * N * n * m + N * n + 2 * N * n * m)
    assert by_jacobians == sympy.expand(2 * N * n * (n * m + n + N * m))
    cost = code.cost()
    assert cost.cached == 0 and "nothing beyond the arguments" in code.source
    assert cost.backward.reads == sympy.expand(2 * N * n + N * m + n * m + N * n)
    assert cost.backward.writes == n * m + n + N * m


def mlp():
    W1, W2 = mc.matrix("W1", H, m), mc.matrix("W2", C, H)
    label = mc.vector("y", C, distribution=True)
    hidden = mc.let("h", mc.relu(mc.let("z", W1 @ x)))
    J = mc.let("J", mc.softmax_cross_entropy(mc.let("s", W2 @ hidden), label))
    return mc.derive(J, [W1, W2]).to_numpy(name="mlp", batch="rows", data=[x, label])


def test_a_net_with_one_hidden_layer():
    cost = mlp().cost()
    products = 2 * N * m * H + 2 * N * H * C
    log_softmax = (F + 4) * N * C + F * N
    assert cost.forward.flops == sympy.expand(products + N * H + log_softmax + N * C + N * C + 2)
    signal = F * N * C + N * C + N * C + 1  # exp, - Y, times dout / N
    assert cost.backward.flops == sympy.expand(signal + 2 * N * H * C + 2 * N * H * C + 2 * N * H + 2 * N * m * H)
    assert sympy.expand(cost.alone.flops - cost.backward.flops) == sympy.expand(signal)
    assert cost.cached == sympy.expand(8 * (2 * N * H + N * C))


def test_least_squares():
    forward, backward, alone, _ = flops(golden("least_squares"))
    assert forward == sympy.expand(2 * n * m + n + 2 * n + 1)  # W @ x, - b, r @ r, / n
    assert backward == alone == sympy.expand(2 + n + 2 * n * m)  # 2 * dout / n, times r, Wᵀ delta


def test_a_hinge_loss_whose_gradient_is_put_in_place():
    """A mask, its numbers, their product with dout / N, its copy, the sums of its rows, which are taken off at the labels."""
    cost = mc.course("cs231n", "svm_loss").layers["svm_loss"].cost()
    assert cost.backward.flops == sympy.expand(1 + N * C + N * C + N * C + N)
    assert cost.backward.writes == sympy.expand(4 * N * C + N + N)
    assert cost.backward.reads == sympy.expand(5 * N * C + 2 * N)
    assert cost.backward.bytes == sympy.expand(8 * (cost.backward.writes + cost.backward.reads) - 2 * 7 * N * C)
    assert cost.cached == 8 * N * C
    jacobians = N * C + (N * C) ** 2 + 2 * N * C * N  # loss by margins, margins by x and by correct, correct by x
    assert cost.jacobians.writes == sympy.expand(jacobians + N * C + N + N * C)  # and the row behind each but the first


# ---- against what is there -------------------------------------------------------------------------------------------------
def owner(a):
    while a.base is not None:
        a = a.base
    return a


def held(cache, arguments):
    """The bytes of the arrays in the cache that are no arguments, views as what they are views of."""
    given = {id(owner(a)) for a in arguments if isinstance(a, np.ndarray)}
    owners = {id(owner(a)): owner(a) for a in cache if isinstance(a, np.ndarray)}
    return sum(a.nbytes for key, a in owners.items() if key not in given)


_BUFFERS = 3 * 65536  # NumPy's own, for operands that it walks through in another order


def against_the_arrays(code, given, lengths, least=0.9):
    """The cache to the byte; the peak as far as NumPy keeps all temporaries (it reuses those above 256 KiB)."""
    cost = code.cost(lengths)
    out, cache = code.forward(**given)
    assert held(cache, given.values()) == cost.cached, code.source
    up = np.ones(np.shape(out)) if np.shape(out) else 1.0
    backward = code.functions[f"{code.name}_backward"]
    backward(up, cache)
    tracemalloc.start()
    found = backward(up, cache)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    beyond = cost.peak - cost.cached - (out.nbytes if np.shape(out) else 0)
    assert least * beyond <= peak <= beyond + _BUFFERS and found, f"{peak} of {beyond}\n{code.source}"


GOLDEN_LENGTHS = {n: 190, m: 170, N: 140}


def given_to(code):
    """Random arrays, numbers and functions for a golden module, by name."""
    r, takes = np.random.default_rng(0), code.module.takes["forward"]
    axes = {of: [length.subs(GOLDEN_LENGTHS) for length in e.shape if length != 1] for e, of in takes.arguments.items()}
    found = {of: r.uniform(0.1, 0.9, [int(length) for length in shape]) if shape else 0.3 for of, shape in axes.items()}
    return found | dict.fromkeys(takes.functions.values(), np.sin)


@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_the_cache_of_a_golden_module(name):
    code = golden(name)
    against_the_arrays(code, given_to(code), GOLDEN_LENGTHS, 0.8)


@pytest.mark.parametrize("name", SOURCES)
def test_the_cache_of_a_golden_batch(name):
    code = module(name, **SOURCES[name])
    e, data, _ = MODELS[name.removesuffix("_columns").removesuffix("_each")]()
    lengths = {s: 150 + 7 * j for j, s in enumerate(LENGTHS)}
    same, each = drawn(e, data, 140, lengths)
    layout = SOURCES[name].get("batch", "rows")
    given = {str(y.name): a for y, a in same.items()}
    given |= {str(y.name): stacked(y, [at[y] for at in each], layout, lengths) for y in data}
    against_the_arrays(code, given, {**lengths, N: 140}, 0.6)


@pytest.mark.parametrize("name", TABLE)
def test_the_cache_of_every_operation(name):
    for example in examples(TABLE[name]):
        for e in (example.e, mc.sum(mc.tanh(example.e) * mc.let("y_again", example.e))):
            code = mc.to_numpy(e, name="t")
            named = {str(key): value for key, value in example.values.items()}
            given = {of: named[str(key.name)] for key, of in code.module.takes["forward"].arguments.items()}
            given |= {of: named[str(s)] for s, of in code.module.takes["forward"].sizes.items()}
            found = {}

            def spy(*arrays, raw=code.functions["t_forward"], found=found):
                found["out"], found["cache"] = raw(*arrays)
                found["arrays"] = arrays
                return found["out"], found["cache"]

            Generated(code.module, {**code.functions, "t_forward": spy}).forward(**given)
            told = code.cost(
                {str(key): value for key, value in given.items()} | {s: LENGTHS_OF_TABLE[s] for s in LENGTHS_OF_TABLE}
            )
            assert held(found["cache"], found["arrays"]) == told.cached, code.source


class Counting(np.ndarray):
    """An array that counts what is done with it."""

    tally = {"flops": 0, "reads": 0, "writes": 0}
    functions = {"exp": F, "log": F, "tanh": F, "sin": F, "cos": F, "logaddexp": 2 * F + 4}

    @classmethod
    def count(cls, flops, inputs, out):
        cls.tally["flops"] += flops
        cls.tally["reads"] += sum({a.ctypes.data: np.size(a) for a in inputs if np.ndim(a)}.values())  # x * x reads x once
        cls.tally["writes"] += np.size(out) if np.ndim(out) else 0

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        plain = [a.view(np.ndarray) if isinstance(a, Counting) else a for a in inputs]
        if "out" in options:
            options["out"] = tuple(a.view(np.ndarray) if isinstance(a, Counting) else a for a in options["out"])
        out = getattr(ufunc, method)(*plain, **options)
        if ufunc is np.matmul:
            self.count(2 * np.size(out) * plain[0].shape[-1], plain, out)
        else:
            each = self.functions.get(ufunc.__name__, 1)
            self.count(each * (np.size(out) if method == "__call__" else np.size(plain[0])), plain, out)
        return out.view(Counting) if np.ndim(out) else out

    def copy(self):
        self.count(0, [self], self)
        return self.view(np.ndarray).copy().view(Counting)

    def astype(self, dtype):
        self.count(0, [self], self)
        return self.view(np.ndarray).astype(dtype).view(Counting)


@pytest.mark.parametrize("which", ["forward", "backward"])
@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_the_work_of_a_golden_module_is_that_of_arrays_that_count(name, which):
    """But for what is done with numbers, which are a few."""
    code = golden(name)
    given = [a.view(Counting) if np.ndim(a) else a for a in given_to(code).values()]
    Counting.tally.update(flops=0, reads=0, writes=0)
    out, cache = code.functions[f"{code.name}_forward"](*given)
    if which == "backward":
        Counting.tally.update(flops=0, reads=0, writes=0)
        code.functions[f"{code.name}_backward"](np.ones(190).view(Counting) if np.ndim(out) else 1.0, cache)
    counted = getattr(code.cost(GOLDEN_LENGTHS), which)
    assert abs(counted.flops - Counting.tally["flops"]) < 80 * (1 + 2 * (name == "logistic")), code.source
    assert (counted.reads, counted.writes) == (Counting.tally["reads"], Counting.tally["writes"]), code.source


def test_the_cost_is_linear_in_the_depth():
    def deep(layers):
        weights = mc.matrices(" ".join(f"W{j}" for j in range(layers)), n)
        a = x0 = mc.vector("x", n)
        for w in weights:
            a = mc.tanh(w @ a)
        return mc.to_numpy(mc.vector("u", n).T @ a, [*weights, x0], name="net").cost(n=10)

    costs = [deep(layers) for layers in (4, 8, 12)]
    for of in (lambda c: c.forward.flops, lambda c: c.backward.flops, lambda c: c.cached, lambda c: c.total.bytes):
        first, second, third = map(of, costs)
        assert third - second == second - first > 0
    first, second, third = (c.alone.flops for c in costs)
    assert third - second > second - first


# ---- sizes and text --------------------------------------------------------------------------------------------------------
def test_sizes_by_symbol_by_name_and_by_arrays():
    code = golden("score_tanh")
    wanted = code.cost().at({n: 8, m: 20})
    assert wanted == code.cost({n: 8, m: 20}) == code.cost(n=8, m=20) == code.cost({"n": 8}, m=20) == code.cost(**LECTURE)
    assert isinstance(wanted.backward.flops, int) and wanted.cached == 64
    assert code.cost(n=8).cached == 64 and code.cost(n=8).backward.flops == 24 * m + 40
    assert code.cost(n=8, m=20, dtype=np.float32).cached == 32
    batch = mc.to_numpy(W @ x + b, [W, b, x], name="affine", batch="rows", data=[x])
    assert batch.cost(x=np.ones((5, 20)), b=np.ones(8)) == batch.cost({N: 5, n: 8, m: 20})
    with pytest.raises(mc.MatcalcError, match="its sizes are m, n"):
        code.cost(p=3)


def test_a_mask_has_one_byte_an_entry():
    mask = mc.let("mask", x > 0)
    code = mc.to_numpy(mc.sum(mask * x * v), [v], name="t")
    _, cache = code.forward(x=np.ones(5), v=np.ones(5))
    assert code.cost(m=5).cached == held(cache, [owner(a) for a in cache if np.shape(a) and a.dtype == float]) == 5


def test_the_table():
    shown = str(golden("score_tanh").cost(n=8, m=20)).splitlines()
    assert shown[0].split() == ["flops", "read", "written", "bytes"]
    assert len({len(line) for line in shown[:7]}) == 1
    assert shown[4].split() == ["together", "944", "464", "244", "5,664"]
    assert text(8 * n * m + 8 * n) == "8·(m·n + n)" and text(n**2 + n + 1) == "n² + n + 1" and text(1234) == "1,234"
    assert text(sympy.Integer(0)) == "0" and text(2 * n / 3) == "2/3·n"


def test_the_rules_of_operations_with_a_rule_of_their_own():
    A, B = mc.matrix("A", n, positive_definite=True), mc.matrix("B", n, k)
    forward = {
        mc.sum(mc.inv(A) @ B): None,
        mc.logdet(A): sympy.Rational(2, 3) * n**3,
        mc.sum(mc.exp(B)): (F + 1) * n * k,
        mc.norm(B): 2 * n * k,
        mc.trace(A): n,
        mc.sum(mc.matrix_power(A, 5)): 6 * n**3 + n**2,
    }
    for e, wanted in forward.items():
        found = mc.to_numpy(e, name="t").cost().forward.flops
        assert wanted is None or sympy.expand(found - wanted) == 0, f"{e}: {found}"


def test_the_page_has_the_table():
    page = mc.derive(score(mc.tanh), [u, W, b, x]).to_html()
    assert '<table class="cost">' in page and "3·m·n + 5·n" in page


def test_a_new_function_counts_as_one_without_a_line_of_its_own():
    new = _elementwise("cbrt", lambda y, x: y / (3 * x), latex="f", domain="positive")
    del TABLE["cbrt"]  # of no other test
    assert mc.to_numpy(node(new, (x,)), wrt=[x]).cost().forward.flops == FUNCTION * m


COUNTED_APART = {"pow", "matrix_power"}
MOVED = {"take", "scatter", "one_hot"}  # no arithmetic


@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.primes or row.differentials], ids=lambda row: row.name)
def test_what_a_function_costs_is_said(row):
    assert row.primes or row.name in {*EACH, *OF_MATRIX} | COUNTED_APART | MOVED
