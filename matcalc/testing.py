"""Assertions for your own tests: a gradient that is wrong fails with the report that says where and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def assert_gradient(fn: Callable[..., Any] | None, grad_fn: Callable[..., Any], at: Any, **options: Any) -> None:
    """AssertionError with the report as its text, unless ``check_gradient(fn, grad_fn, at, **options)`` is ok.

    CheckError, as there, if the check cannot be carried out.
    """
    __tracebackhide__ = True  # pytest shows the line of the test, not this one
    from matcalc.answers.stages import check_gradient

    report = check_gradient(fn, grad_fn, at, **options)
    if not report.ok:
        *_, last = str(report).splitlines()
        raise AssertionError(f"{last}\n\n{report}")


__all__ = ["assert_gradient"]
