"""Drawings of the graph: nothing overlaps, wires pass through no box and no label, every format is well formed."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from xml.etree import ElementTree

import numpy as np
import pytest
from growing import grown

import matcalc as mc
from matcalc.graphs.drawing import drawing
from matcalc.graphs.labels import Labels, width_of
from matcalc.graphs.layers import layered
from matcalc.graphs.layout import Block, laid_out, spread

n, m = mc.dims("n m")
x, y, z = mc.scalars("x y z")


# ---- graphs to draw --------------------------------------------------------------------------------------------------------
def lecture():
    return mc.graph((x + y) * mc.maximum(y, z)), {x: 1, y: 2, z: 0}


def window():
    W, v = mc.matrix("W", n, m), mc.vector("x", m)
    b, u = mc.vectors("b u", n)
    f = mc.function("f")
    rng = np.random.default_rng(0)
    at = {W: rng.normal(size=(8, 20)), v: rng.normal(size=20), b: rng.normal(size=8), u: rng.normal(size=8)}
    return mc.graph(u.T @ f(W @ v + b)), {**at, f: (np.tanh, lambda t: 1 - np.tanh(t) ** 2)}


def attention():
    d, T = mc.dims("d T")
    X, G = mc.matrices("X G", T, d)
    weights = mc.matrices("W_Q W_K W_V", d, d)
    Q, K, V = (mc.let(name, X @ V) for name, V in zip("QKV", weights, strict=True))
    P = mc.let("P", mc.softmax(Q @ K.T / 2, axis=1))
    rng = np.random.default_rng(0)
    at = {X: rng.normal(size=(5, 4)), G: rng.normal(size=(5, 4))} | {V: rng.normal(size=(4, 4)) for V in weights}
    return mc.graph(mc.sum(G * mc.let("O", P @ V))), at


def lstm():
    v, h, c = mc.vector("x_t", m), mc.vector("h_{t-1}", n), mc.vector("c_{t-1}", n)
    gate = {}
    for name in "ifog":
        z = mc.matrix(f"W_{name}", n, m) @ v + mc.matrix(f"U_{name}", n, n) @ h + mc.vector(f"b_{name}", n)
        gate[name] = mc.let(f"{name}_t", (mc.tanh if name == "g" else mc.sigmoid)(z))
    new = mc.let("c_t", gate["f"] * c + gate["i"] * gate["g"])
    g = mc.graph(mc.vector("u", n).T @ mc.let("h_t", gate["o"] * mc.tanh(new)))
    rng = np.random.default_rng(0)
    shape = {n: 8, m: 5, 1: 1}
    at = {leaf.symbol: rng.normal(size=[shape[s] for s in leaf.shape]) for leaf in g.inputs}
    return g, at


GRAPHS = {"lecture": lecture, "window": window, "attention": attention, "lstm": lstm}


def rectangles(d):
    """The boxes and labels of a drawing: (owner, left, top, right, bottom)."""
    found = []
    for node in d.graph.nodes:
        b = d.block(node)
        found.append((node, b.x, b.y, b.x + b.width, b.y + b.height))
        found += [(node, *corners(part)) for part in d.out[node].at(b.x + b.width, b.centre) if part is not None]
        assert d.formulas[node].width <= b.width and d.formulas[node].height <= b.height
    for edge in d.graph.edges:
        b = d.block(edge.target)
        found += [(edge, *corners(part)) for part in d.into[edge].at(b.x - b.left, d.level(edge)) if part is not None]
    return found


def corners(part):
    label, left, top = part
    return left, top, left + label.width, top + label.height


def traced(points, steps=24):
    """Points along a wire as it is drawn: level pieces and cubic curves in turns."""
    for k, ((ax, ay), (bx, by)) in enumerate(zip(points, points[1:], strict=False)):
        for t in np.linspace(0, 1, steps):
            if k % 2 == 0:
                yield ax + (bx - ax) * t, ay + (by - ay) * t
            else:
                middle = (ax + bx) / 2
                bend = 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2
                yield (
                    (1 - t) ** 3 * ax + (bend[0] + bend[1]) * middle + t**3 * bx,
                    ((1 - t) ** 3 + bend[0]) * ay + (bend[1] + t**3) * by,
                )


def check_geometry(d):
    boxes = rectangles(d)
    for k, (a, *p) in enumerate(boxes):
        for b, *q in boxes[k + 1 :]:
            apart = p[2] <= q[0] + 0.01 or q[2] <= p[0] + 0.01 or p[3] <= q[1] + 0.01 or q[3] <= p[1] + 0.01
            assert apart, f"{a} and {b} overlap"
    for edge in d.graph.edges:
        for px, py in traced(d.wire(edge)):
            for owner, left, top, right, bottom in boxes:
                inside = left + 0.1 < px < right - 0.1 and top + 0.1 < py < bottom - 0.1
                assert not inside, f"the wire {edge} runs through {owner}"
    for edge in d.graph.edges:
        ends = d.wire(edge)
        source, target = d.block(edge.source), d.block(edge.target)
        assert ends[0] == (source.x + source.width, source.centre) and ends[-1][0] == target.x
        assert target.y < ends[-1][1] < target.y + target.height
    assert min(left for _, left, *_ in boxes) >= -0.01 and min(top for _, _, top, *_ in boxes) >= -0.01
    assert max(right for *_, right, _ in boxes) <= d.layout.width + 0.01
    assert max(bottom for *_, bottom in boxes) <= d.layout.height + 0.01


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize("name", GRAPHS)
def test_nothing_overlaps(name, values):
    g, at = GRAPHS[name]()
    check_geometry(drawing(g, g.run(at) if values else None))


@pytest.mark.parametrize("k", range(12))
def test_nothing_overlaps_in_random_graphs(k):
    check_geometry(drawing(mc.graph(grown(8, k)), labels=Labels(typeset=False)))


def test_nothing_overlaps_in_dense_random_graphs():
    rng = np.random.default_rng(0)
    for size in (5, 15, 40):
        nodes = list(range(size))
        edges = [(int(rng.integers(0, k)), k) for k in range(1, size) for _ in range(int(rng.integers(1, 4)))]
        blocks = {k: Block(50, 30 + 16 * sum(b == k for _, b in edges), 20, 40) for k in nodes}
        for k, block in blocks.items():
            entering = sum(b == k for _, b in edges)
            block.ports = [16.0 * (j + 1) for j in range(entering)]
        layout = laid_out(nodes, edges, blocks)
        rectangles = [b.whole for b in layout.blocks.values()]
        for k, (ax, ay, aw, ah) in enumerate(rectangles):
            for bx, by, bw, bh in rectangles[k + 1 :]:
                assert ax + aw <= bx + 0.01 or bx + bw <= ax + 0.01 or ay + ah <= by + 0.01 or by + bh <= ay + 0.01
        for (source, target), wire in zip(edges, layout.wires, strict=True):
            for px, py in traced(wire, 12):
                for node, b in layout.blocks.items():
                    bx, by, bw, bh = b.whole
                    if node not in (source, target):
                        assert not (bx + 0.1 < px < bx + bw - 0.1 and by + 0.1 < py < by + bh - 0.1), (source, target, node)


def test_forty_nodes_are_laid_out_in_less_than_a_second():
    g, _ = lstm()
    assert len(g.nodes) >= 40
    g.symbolic  # noqa: B018
    drawing(g, labels=Labels(typeset=False))
    start = time.perf_counter()
    drawing(g, labels=Labels(typeset=False))
    assert time.perf_counter() - start < 1


# ---- layers ---------------------------------------------------------------------------------------------------------------
def test_columns_follow_the_longest_path_and_the_output_stands_last():
    g, _ = lstm()
    d = drawing(g, labels=Labels(typeset=False))
    column = d.layout.layers.column
    for edge in g.edges:
        assert column[edge.source.id] < column[edge.target.id]
    assert column[g.output.id] == max(column.values()) and all(node.outputs for node in g.nodes if node is not g.output)
    for node in g.inputs:
        assert column[node.id] == min(column[edge.target.id] for edge in node.outputs) - 1


def test_a_tree_has_no_crossings():
    edges = [(k, (k - 1) // 2) for k in range(1, 63)]
    layers = layered(range(63), edges)
    after = {}
    for a, b in layers.links:
        after.setdefault(a, []).append(b)
    for left, right in zip(layers.columns, layers.columns[1:], strict=False):
        ends = [right.index(b) for a in left for b in after.get(a, [])]
        assert ends == sorted(ends)


def test_crossings_are_taken_away_where_they_can_be():
    edges = [("a", "q"), ("b", "p"), ("c", "r"), ("p", "s"), ("q", "s"), ("r", "s")]
    layers = layered("abcpqrs", edges)
    place = {v: k for column in layers.columns for k, v in enumerate(column)}
    assert [place[a] for a in "bac"] == [place[a] for a in "pqr"]


def test_wires_of_one_source_share_their_way():
    layers = layered("abcde", [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("a", "d"), ("a", "e")])
    assert [way for way in layers.ways if way[0] == "a"][1:] == [
        ("a", ("a", 1), ("a", 2), "d"),
        ("a", ("a", 1), ("a", 2), ("a", 3), "e"),
    ]
    assert all(len(set(map(str, column))) == len(column) for column in layers.columns)


def test_places_are_the_nearest_with_room():
    rng = np.random.default_rng(0)
    for _ in range(20):
        wanted, room = rng.normal(size=6) * 3, rng.uniform(0.5, 2, 5)
        found = np.array(spread(list(wanted), [1.0] * 6, list(room)))
        assert (np.diff(found) >= room - 1e-9).all()
        for _ in range(30):  # no feasible change is nearer
            other = np.array(spread(list(found + rng.normal(size=6) * 0.2), [1.0] * 6, list(room)))
            assert ((other - wanted) ** 2).sum() >= ((found - wanted) ** 2).sum() - 1e-9


def test_long_wires_are_level():
    g, _ = attention()
    d = drawing(g)
    long = max(g.edges, key=lambda edge: len(d.wire(edge)))
    levels = [round(py, 3) for _, py in d.wire(long)]
    assert len(levels) > 6 and len(set(levels)) <= 2


# ---- SVG --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("typeset", [True, False])
@pytest.mark.parametrize("name", GRAPHS)
def test_svg_is_well_formed_and_tells_its_parts(name, typeset):
    g, at = GRAPHS[name]()
    for text in (g.to_svg(typeset=typeset), g.run(at).to_svg(typeset=typeset)):
        tree = ElementTree.fromstring(text)
        groups = [e for e in tree.iter() if e.get("data-node")]
        assert {e.get("data-node") for e in groups} == {node.id for node in g.nodes}
        assert {e.get("data-edge") for e in tree.iter() if e.get("data-edge")} == {edge.id for edge in g.edges}
        ids = [e.get("id") for e in tree.iter() if e.get("id")]
        assert len(ids) == len(set(ids))
        used = {e.get("href", "#")[1:] for e in tree.iter() if e.tag.endswith("use")}
        assert used <= set(ids)
        assert "mcg-backward" in text and "--mcg-forward" in text and "prefers-color-scheme: dark" in text
        assert "{x}" not in text and "{base}" not in text
        assert tree.get("role") == "img" and tree.get("aria-label")


def test_the_numbers_of_the_lecture_stand_at_their_wires():
    g, at = lecture()
    text = g.run(at).to_svg(typeset=False)
    box = re.search(r'data-name="y".*?</g></g>', text)[0]
    value, gradient = re.findall(r"<text[^>]*>([^<]*)</text>", box)[1:]
    assert (value, gradient) == ("2", "2 + 3 = 5")
    contributions = re.findall(r'data-source="n1".*?<g class="mcg-backward"><text[^>]*>([^<]*)<', text)
    assert contributions == ["2", "3"]


def test_names_are_escaped_and_widths_are_on_the_wide_side():
    assert "&gt;" in mc.graph(mc.where(x < y, x, y)).to_svg(typeset=False)
    assert width_of("0123456789", 10) >= 56 and width_of("", 10) == 0


def test_a_path_is_written(tmp_path):
    g, at = lecture()
    assert g.to_svg(tmp_path / "g.svg") == (tmp_path / "g.svg").read_text(encoding="utf-8")
    r = g.run(at)
    for write, name in ((r.to_svg, "svg"), (r.to_dot, "dot"), (r.to_mermaid, "mmd"), (r.to_tikz, "tex")):
        assert write(tmp_path / name) == (tmp_path / name).read_text(encoding="utf-8")
    assert r._repr_svg_() == r.to_svg()


# ---- other formats ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", GRAPHS)
def test_dot_and_mermaid(name):
    g, at = GRAPHS[name]()
    for run in (None, g.run(at)):
        dot = g.to_dot(run=run)
        assert dot.startswith("digraph computation {") and dot.count("->") == len(g.edges) + 1
        assert dot.count("{") == dot.count("}") and len(re.findall(r'(?<!\\)"', dot)) % 2 == 0
        for label in re.findall(r"label=<(.*?)>[,\]]", dot):
            ElementTree.fromstring(f"<a>{label}</a>")
        lines = g.to_mermaid(run=run).splitlines()
        assert lines[0] == "flowchart LR" and sum("-->" in line for line in lines) == len(g.edges)
        node, edge = r'  n\d+(\(\["[^"]*"\]\)|\["[^"]*"\])', r'  n\d+ -- "[^"]*" --[>-] (n\d+|out)'
        other = r"  out\(\( \)\)|  classDef \w+ \S+|  class [n\d,]+ \w+"
        assert all(re.fullmatch(f"{node}|{edge}|{other}", line) for line in lines[1:])
        for text in re.findall(r'"([^"]*)"', "\n".join(lines)):
            plain = re.sub(r"</?span[^>]*>|<br/>|#\d+;", "", text)
            assert not set(plain) & set('<>#`"&;\\')


def test_the_sum_at_a_branch_stands_in_dot_and_mermaid():
    g, at = lecture()
    r = g.run(at)
    for text in (r.to_dot(), r.to_mermaid()):
        assert text.count("∂f/∂y = 2 + 3 = 5") == 1 and "∂f/∂x" not in text
    for text in (g.to_dot(), g.to_mermaid()):
        assert text.count("∂f/∂y = ") == 1
    square = mc.graph(x * x).run(x=3)
    assert "∂f/∂x = 3 + 3 = 6" in square.to_dot() and "∂f/∂x = 3 + 3 = 6" in square.to_mermaid()
    L, ids = mc.matrix("L", 4, m), mc.vector("i", n)
    looked = mc.graph(mc.sum(mc.take(L, ids)) + mc.sum(mc.take(2 * L, ids)))
    assert "∂s/∂i" not in looked.to_dot() and "∂y/∂i" not in looked.to_mermaid()


@pytest.mark.parametrize("name", GRAPHS)
def test_tikz_is_balanced(name):
    g, at = GRAPHS[name]()
    for text in (g.to_tikz(), g.run(at).to_tikz(standalone=True)):
        assert text.count("{") == text.count("}") and text.count("$") % 2 == 0
        assert text.count(r"\draw[wire, ->]") == len(g.edges) and text.isascii()
        for line in text.splitlines():
            assert line.startswith(("  ", "\\")) or not line.strip()


@pytest.mark.skipif(
    shutil.which("pdflatex") is None
    or shutil.which("kpsewhich") is None
    or not subprocess.run(["kpsewhich", "tikz.sty"], capture_output=True, text=True).stdout.strip(),
    reason="pdflatex with TikZ is not installed",
)
def test_tikz_compiles(tmp_path):
    (g, at), (h, _) = lecture(), attention()
    for name, text in (("values", g.run(at).to_tikz(standalone=True)), ("symbols", h.to_tikz(standalone=True))):
        (tmp_path / f"{name}.tex").write_text(text, encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True)
        assert done.returncode == 0, done.stdout[-800:]


# ---- colours ------------------------------------------------------------------------------------------------------------------
# What people see who lack one kind of cone, in linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
EYES = {
    "full": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    c = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    t = np.clip(TO_XYZ @ rgb, 0, None) / np.array([0.9505, 1.0, 1.089])
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a, b):
    high, low = sorted((float(TO_XYZ[1] @ linear(c)) for c in (a, b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_can_be_read_and_told_apart():
    style = mc.graph(x * y).to_svg(typeset=False)
    themes = [dict(re.findall(r"--mcg-([\w-]+): (#\w{6})", block)) for block in re.findall(r"\.mcg \{(.*?)\}", style, re.DOTALL)]
    assert len(themes) == 4 and themes[0] == themes[3] and themes[1] == themes[2]
    for theme, paper in zip(themes, ["#ffffff", "#0d1117", "#0d1117", "#ffffff"], strict=True):
        for name in ("ink", "quiet", "forward", "backward"):
            assert contrast(theme[name], paper) >= 4.5, (name, theme[name])
        for name, eye in EYES.items():
            apart = np.linalg.norm(lab(eye @ linear(theme["forward"])) - lab(eye @ linear(theme["backward"])))
            assert apart > 25, (name, theme["forward"], theme["backward"], apart)


def test_every_drawing_has_every_letter_that_it_uses():
    for f in (mc.tanh, mc.softplus, mc.gelu, mc.log, mc.relu):  # a letter set once is there in the next drawing, too
        drawn = mc.graph(mc.sum(f(mc.vector("x", 3)))).to_svg(typeset=True)
        assert set(re.findall(r'href="#([^"]+)"', drawn)) <= set(re.findall(r'id="([^"]+)"', drawn))
