"""A derivation as a ``jax.custom_vjp`` function: JAX differentiates it with the formulas of the derivation."""

from __future__ import annotations

import ast

from matcalc.code.carried import quoted
from matcalc.code.libraries.assembled import numbers
from matcalc.code.libraries.autodiff import Autodiff, Pair
from matcalc.code.libraries.dialects import JAX
from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Line, listed, paragraph
from matcalc.code.module import Module


class Jax(Autodiff):
    """The two passes as JAX wants them, and a function that people call."""

    def __init__(self, module: Module) -> None:
        super().__init__(module, JAX)

    def source(self) -> str:
        """The whole text."""
        pair = self.pair()
        self._as_rule(pair)
        document = self.document("Arrays are of one type; a number is an array without axes.")
        constant = [_CONSTANT] if self.constant else []
        return self.text(document, [*constant, pair.forward.text(), pair.backward.text(), self._rule(), self._plain()])

    def _as_rule(self, pair: Pair) -> None:
        """The backward pass takes what is no array first, the cache, the upstream gradient, and gives one for each argument."""
        f = pair.backward
        upstream = self.module.upstream
        f.parameters = {**dict.fromkeys(self.given, "object"), "cache": "tuple", upstream: f.parameters[upstream]}
        assert isinstance(f.result, ast.Tuple)
        found = dict(zip(self.wanted, f.result.elts, strict=True))
        tensors = [of for of in self.parameters if of not in self.given]
        f.result = t.sequence(found.get(of, ast.Constant(None)) for of in tensors)
        if len(found) < len(tensors):
            f.document = [*f.document, "", "In the order of the arguments, with None for what is no variable."]
            f.gives = f"tuple[{JAX.array} | None, ...]"

    def _rule(self) -> list[str]:
        places = [k for k, of in enumerate(self.parameters) if of in self.given]
        decorator = f"@partial(jax.custom_vjp, nondiff_argnums={tuple(places)})" if places else "@jax.custom_vjp"
        called = f"{self.name}_forward({', '.join(self.parameters)})"
        return [
            decorator,
            f"def _{self.name}({', '.join(self.parameters)}):",
            f"    return {called}[0]",
            "",
            "",
            f"_{self.name}.defvjp({self.name}_forward, {self.name}_backward)",
        ]

    def _plain(self) -> list[str]:
        """The function that people call."""
        takes = self.module.takes["forward"]
        types = {of: self.type(kind) for of, kind in takes.typed().items()}
        title = f"{quoted(self.module.layer.title)}, differentiable by {listed(self.wanted)}."
        lines = numbers(self.translator(self.kinds_given), self.kinds_given, set(self.parameters)) or self._alone()
        for of in self.constant:
            lines.append(t.assigned(of, t.call("constant", t.name(of))))
        head = t.bracketed(f"def {self.name}(", [f"{of}: {kind}" for of, kind in types.items()], ") -> jax.Array:", "")
        first, *rest = paragraph(title, first=True)
        document = [f'    """{first}', *(f"    {x}" for x in rest), "", *(f"    {x}" for x in takes.said(self.whole)), '    """']
        body = [text for x in lines if not isinstance(x, str) for text in t.lines(x, 4)]
        return [*head, *document, *body, f"    return _{self.name}({', '.join(self.parameters)})"]

    def _alone(self) -> list[Line]:
        """Numbers as arrays of one type, where there is no array to tell it."""
        alone = [of for of, kind in self.kinds_given.items() if kind.rank == 0 and kind.of == "float"]
        common = t.call("jnp.result_type", *map(t.name, alone))
        return [t.assigned(of, t.call("jnp.asarray", t.name(of), common)) for of in alone]


_CONSTANT = [
    "@jax.custom_jvp",
    "def constant(x):",
    '    """An argument by which nothing was differentiated."""',
    "    return x",
    "",
    "",
    "@constant.defjvp",
    "def _refused(primals, tangents):",
    '    raise TypeError("this argument was not differentiated by: ask for it in wrt")',
]
