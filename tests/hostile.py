"""Hostile command lines: valid ones, spoilt at random, with the files and the standard input that they speak of."""

import random
from pathlib import Path

SHAPES = "W: n m, x: m, b u: n, f: function"
LAYER = "u.T @ f(W @ x + b)"
VALID = [
    ["derive", LAYER, "--shapes", SHAPES, "--wrt", "W", "b", "x", "u"],
    ["derive", LAYER, "--shapes", SHAPES, "--to", "numpy", "--name", "score", "--check"],
    [
        "derive",
        "u.T @ tanh(W @ x + b)",
        "--shapes",
        SHAPES,
        "--to",
        "torch",
        "--batch",
        "rows",
        "--data",
        "x",
        "--reduction",
        "sum",
    ],
    [
        "derive",
        r"u^\top f(Wx + b)",
        "--latex",
        "--shapes",
        r"W \in \mathbb{R}^{n \times m}, x: m, b, u \in \mathbb{R}^n, f: function",
    ],
    ["derive", "-", "--shapes", "shapes.txt", "--to", "latex", "--standalone", "-o", "out.tex"],
    ["derive", "u'*(W*x + b)", "--syntax", "matlab", "--shapes", "@shapes.txt", "--ascii", "--seed", "1", "--check"],
    ["answer", "outer(u * f'(W @ x + b), x)", "--of", LAYER, "--wrt", "W", "--shapes", SHAPES],
    ["answer", "δ xᵀ", "--of", "u.T @ h", "--wrt", "W", "--shapes", SHAPES, "--let", "z = W @ x + b", "--let", "h = f(z)"],
    ["check", "right.py", "--seed", "1"],
    ["check", "wrong.py", "--function", "f", "--gradient", "g", "--at", "x=[1, 2] t=0.5", "--wrt", "x", "--svg", "out.svg"],
    ["practice", "--level", "2", "--count", "2", "--seed", "1"],
    ["practice", "--level", "1", "--count", "1", "--seed", "1", "--write", "out.tex"],
    ["completion", "bash"],
    ["demo", "--brief", "--only", "score_generic", "-o", "out"],
    ["graph", "(x + y) * maximum(y, z)", "--at", "x=1", "y=2", "z=0"],
    ["graph", LAYER, "--shapes", SHAPES, "--seed", "0", "-o", "graph.svg"],
]
OWN = "import numpy as np\n"
MORE = {
    "derive": [["--to", form] for form in ("text", "latex", "markdown", "html", "numpy", "array-api", "torch", "jax")]
    + [["--check"], ["--ascii"], ["--name", "J"], ["--wrt", "u", "b"], ["--standalone"], ["-o", "a.html"], ["-o", "a.py"]]
    + [["--to", "numpy", "--batch", "columns", "--data", "x"], ["--let", "q = W.T @ u"], ["--seed", "3"], ["--syntax", "matlab"]],
    "answer": [["--ascii"], ["--latex"], ["--wrt", "b"], ["--let", "q = W.T @ u"], ["--of", "f(W @ x + b)"]],
    "check": [["--ascii"], ["--wrt", "x"], ["--seed", "2"], ["--svg", "a.svg"], ["--at", "x=[1, 2, 3]"], ["--at", "x=1/2"]],
    "graph": [["--to", form] for form in ("text", "svg", "dot", "mermaid", "tikz")]
    + [["--ascii"], ["--seed", "3"], ["-o", "a.tex"]],
    "practice": [["--level", "3"], ["--ascii"], ["--seed", "5"], ["--write", "-"]],
    "demo": [["--ascii"], ["--seed", "3"]],
    "completion": [["zsh"], ["--help"]],
}
FILES = {
    "shapes.txt": "W: n m  # a matrix\nx: m\nb u: n\nf: function\n",
    "right.py": OWN + "def loss(x): return np.sum(x**2)\ndef loss_grad(x): return 2 * x\nat = {'x': np.ones(3)}\n",
    "wrong.py": OWN + "def f(x, t=1.0): return t * np.sum(x**2)\ndef g(x, t=1.0): return {'x': x}\nat = {'x': np.ones(2)}\n",
    "syntax.py": "def f(x:\n",
    "raises.py": OWN + "def f(x): return np.ones(2) @ x\ndef f_grad(x): return x\nat = {'x': np.ones(3)}\n",
    "exits.py": "raise SystemExit(3)\n",
    "exits_later.py": "import sys\ndef f(x=1.0): sys.exit(0)\ndef df(x=1.0): return x\n",
    "odd.py": "f = grad_f = object()\nat = 3\n",
    "odder.py": "def f(x): return 'one'\ndef grad_f(x): return None\nat = {'x': 1.0}\n",
    "imports.py": "import not_a_module_at_all\n",
    "latin.py": b"x = '\xe9'\n",
    "binary.txt": bytes(range(256)),
    "empty.txt": "",
}
WORDS = [
    *(
        "W",
        "x",
        "u.T",
        "@",
        "*",
        "(",
        ")",
        "f'",
        "δ",
        "[",
        "]",
        "1/0",
        "1e999",
        "**",
        "ᵀ",
        "\\frac",
        "\\frac{",
        "'",
        "\n",
        "\0",
        "\udcff",
    ),
    *(
        "zeros(n)",
        "inv(W)",
        "x[9]",
        "‖",
        "=",
        ":",
        "where",
        "10**10**10",
        "det(W)",
        "take(W, [1])",
        "@nofile",
        "n n",
        "-",
        "--",
        "",
    ),
    *(
        "-x",
        "--no-such",
        "--wrt",
        "--at",
        "--shapes",
        "-o",
        "-",
        "nan",
        "inf",
        "x=1",
        "x=[[1], 2]",
        "x=1/0",
        "x=[",
        "x=[1e400]",
        "x: 0",
    ),
    *(
        "x: -1",
        "x: 999999999",
        "x: 99999999999999999999",
        "W: n m, W: n",
        "é",
        "\u202e",
        "🦊",
        "%s",
        "{0}",
        "$(ls)",
        "`",
        "#",
        ";",
        "out",
    ),
    *(
        "/",
        "/dev/null",
        ".",
        "..",
        "out.html",
        "out/x.py",
        "binary.txt",
        "empty.txt",
        *FILES,
        "W \\in",
        "W \\in \\mathbb{R}^{n",
        "f: function",
    ),
    *(
        "sum",
        "softmax(x)",
        "x = 1",
        "s = u.T @ x",
        "class",
        "import os",
        "__import__('os')",
        "x" * 300,
        "(" * 400,
        "1" * 60,
        "0",
        "-1",
    ),
]
SIGNS = list("Wxbufnmzδ") + [
    ".T",
    " @ ",
    " * ",
    " + ",
    " - ",
    "(",
    ")",
    "'",
    " ",
    ":",
    ",",
    "0",
    "2",
    "**2",
    "ᵀ",
    "\\",
    "^",
    "=",
    "[",
    "]",
]
INPUTS = ["", LAYER, "z = W @ x + b\nu.T @ f(z)", "hint\nshow\nquit\n", "x +", "\0", "δ\n" * 5, "(" * 3000, "skip\n"]


def prepared(folder: Path) -> None:
    """Writes the files that the command lines speak of."""
    for name, content in FILES.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "out").mkdir(exist_ok=True)


def spoilt(rng: random.Random, commands: list[str]) -> tuple[list[str], str]:
    """A command line and what stands on its standard input."""
    args = list(rng.choice([line for line in VALID if line[0] in commands]))
    if args[0] in MORE and rng.random() < 0.6:
        args += [word for words in rng.sample(MORE[args[0]], rng.randint(1, 2)) for word in words]
    for _ in range(rng.choice([0, 0, 1, 1, 1, 2, 3])):
        k = rng.randrange(1, len(args)) if len(args) > 1 else 0
        way = rng.randrange(14)
        if way == 0 and k:
            args[k] = rng.choice(WORDS)
        elif way == 1 and k:
            cut = rng.randrange(len(args[k]) + 1)
            args[k] = args[k][:cut] + rng.choice(WORDS) + args[k][cut + rng.randrange(3) :]
        elif way == 2:
            args.insert(k + 1, rng.choice(WORDS))
        elif way == 3 and k and args[0] != "demo":  # all of the demo takes long
            del args[k]
        elif way == 4 and k:
            other = rng.randrange(1, len(args))
            args[k], args[other] = args[other], args[k]
        elif way > 5 and k and not args[k].startswith("-") and args[k]:
            at = rng.randrange(len(args[k]))
            args[k] = args[k][:at] + rng.choice(SIGNS) + args[k][at + rng.randrange(2) :]
        else:
            args += rng.choice([line for line in VALID if line[0] in commands])[-2:]
    return args, rng.choice(INPUTS)


def slow(args: list[str]) -> bool:
    """Whether the command line asks for much that is not hostile: every case of the demo."""
    return args[0] == "demo" and not any(a.startswith("--only") and b for a, b in zip(args, [*args[1:], ""], strict=True))
