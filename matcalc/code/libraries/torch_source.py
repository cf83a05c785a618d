"""A derivation as a ``torch.autograd.Function``: PyTorch differentiates it with the formulas of the derivation."""

from __future__ import annotations

from matcalc.code.carried import quoted
from matcalc.code.libraries.assembled import numbers
from matcalc.code.libraries.autodiff import Autodiff, Pair
from matcalc.code.libraries.dialects import TORCH
from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Line, listed, paragraph
from matcalc.code.module import Module


class Torch(Autodiff):
    """The two passes, the class that PyTorch wants, and a function that applies it."""

    def __init__(self, module: Module) -> None:
        super().__init__(module, TORCH)

    def source(self) -> str:
        """The whole text."""
        pair = self.pair()
        pair.backward.parameters |= dict.fromkeys(pair.given, "object")
        document = self.document("Tensors are of one type and on one device; a number is a tensor without axes.")
        return self.text(document, [pair.forward.text(), pair.backward.text(), self._class(pair), self._plain()])

    @property
    def called(self) -> str:
        """The name of the class."""
        return "".join(word[:1].upper() + word[1:] for word in self.name.split("_")) + "Function"

    def _class(self, pair: Pair) -> list[str]:
        """What the backward pass needs is kept; for a second derivative it is computed again, as a function of the arguments."""
        name, tensors = self.name, [of for of in self.parameters if of not in self.given]
        given = [f"ctx.{of}" for of in pair.given]
        apart = ", ".join(tensors) + ", " if tensors else ""
        known = [f"{of} = ctx.{of}" for of in self.given]
        forward = f"{name}_forward({', '.join(self.parameters)})"
        lines = [
            f"class {self.called}(torch.autograd.Function):",
            f'    """{quoted(self.module.layer.title)}, differentiated by {name}_backward."""',
            "",
            "    @staticmethod",
            *t.bracketed("    def forward(", ["ctx", *self.parameters], "):", "    "),
            f"        out, cache = {forward}",
            f"        ctx.save_for_backward({apart}*cache)",
            *(f"        ctx.{of} = {of}" for of in self.given),
            "        return out",
            "",
            "    @staticmethod",
            f"    def backward(ctx, {self.module.upstream}):",
        ]
        body = [f"{apart}*cache = ctx.saved_tensors"]
        for of in self.constant:
            k = self.parameters.index(of)
            body += [
                f"if ctx.needs_input_grad[{k}]:",
                f'    raise RuntimeError("{self._refused(of)}")',
            ]
        body += ["if torch.is_grad_enabled():  # for a second derivative the cache hangs on the arguments"]
        body += [f"    {line}" for line in [*known, f"_, cache = {forward}"]]
        backward = f"{name}_backward({', '.join([self.module.upstream, 'cache', *given])})"
        called = {of: next(d for d in (f"d{of}", f"grad_{of}") if d not in self.parameters) for of in self.wanted}
        slots = [called.get(of, "None") for of in self.parameters]
        order = ", ".join(called.values())
        order = f"({order},)" if len(called) == 1 else order
        if [of for of in self.parameters if of in self.wanted] == self.wanted == self.parameters:
            body.append(f"return {backward}")
        elif self.wanted:
            body += [f"{order} = {backward}", f"return {', '.join(slots)}"]
        else:
            body.append(f"return {', '.join(slots)}")
        return [*lines, *(f"        {line}" for line in body)]

    def _refused(self, of: str) -> str:
        by = listed(self.wanted)
        return f"{self.module.layer.title} was not differentiated by {of}: ask for it in wrt, beside {by}".replace('"', "'")

    def _plain(self) -> list[str]:
        """The function that people call."""
        takes = self.module.takes["forward"]
        types = {of: self.type(kind) for of, kind in takes.typed().items()}
        said = takes.said(self.whole)
        title = f"{quoted(self.module.layer.title)}, differentiable by {listed(self.wanted)}."
        lines = numbers(self.translator(self.kinds_given), self.kinds_given, set(self.parameters))
        lines = lines or self._alone()
        head = t.bracketed(f"def {self.name}(", [f"{of}: {kind}" for of, kind in types.items()], ") -> torch.Tensor:", "")
        first, *rest = paragraph(title, first=True)
        document = [f'    """{first}', *(f"    {x}" for x in rest), "", *(f"    {x}" for x in said), '    """']
        body = [text for x in lines if not isinstance(x, str) for text in t.lines(x, 4)]
        return [*head, *document, *body, f"    return {self.called}.apply({', '.join(self.parameters)})"]

    def _alone(self) -> list[Line]:
        """Numbers as tensors, where there is no array to tell their type."""
        return [t.assigned(of, t.call("torch.as_tensor", t.name(of))) for of, kind in self.kinds_given.items() if kind.rank == 0]
