"""Sums over the parts of a text by Dask: a function mapped over them, the results added in a tree, here or on a cluster."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ner.errors import GivenError

PACKAGE = Path(__file__).parent
FAN_IN = 8  # results that one task adds up
ATTEMPTS = 5  # a sum depends on what it is given alone, so it can be begun again
EXTRA = "Dask is not installed: pip install '.[dask]' in the checkout"


class Held:
    """A value that every step needs: a cluster is given it once, and its scheduler can have it made anew."""

    def __init__(self, value: Any) -> None:
        self.value, self.task = value, None


class Engine:
    """Where sums are computed: the threads of this process, or the workers of the scheduler at ``address``.

    Raises GivenError where Dask is missing or nobody answers.
    """

    def __init__(self, address: str | None = None, client: Any = None) -> None:
        try:
            import dask
        except ModuleNotFoundError as missing:
            raise GivenError(f"{EXTRA}.") from missing
        self.dask, self.client = dask, client
        if address is not None:
            self.client = connected(address)
        if self.client is not None:
            with tempfile.TemporaryDirectory() as folder:  # workers that come later are sent the package, too
                self.client.upload_file(shutil.make_archive(str(Path(folder) / "ner"), "zip", PACKAGE.parent, PACKAGE.name))

    def total(self, job: Callable[..., Any], parts: Sequence[Any], add: Callable[[Any, Any], Any], *shared: Any) -> Any:
        """The sum of ``job(part, *shared)`` over the parts. What is shared is sent to every worker, what is ``Held`` only once.

        Where workers are lost their tasks are done by others, or the sum is begun again.
        """
        if self.client is None:
            return self.dask.compute(self._sum(job, parts, add, shared), scheduler="threads")[0]
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        for attempt in range(ATTEMPTS):
            try:  # what is shared is part of the graph, which the scheduler has, so no worker takes it along
                return self.client.compute(self._sum(job, parts, add, shared), retries=ATTEMPTS).result()
            except (KilledWorker, FutureCancelledError, TimeoutError, OSError) as error:
                if attempt == ATTEMPTS - 1:
                    lost = f"The workers were lost {ATTEMPTS} times in one step"
                    raise GivenError(f"{lost}, at last by {type(error).__name__}.") from error
                for held in (value for value in shared if isinstance(value, Held)):
                    held.task = None  # it may be lost as well
                time.sleep(2**attempt * (0.5 + random.random()))

    def _given(self, value: Any) -> Any:
        """A value as a task."""
        if not isinstance(value, Held):
            return self.dask.delayed(value, traverse=False)
        if value.task is None:
            task = self.dask.delayed(value.value, traverse=False)
            value.task = task if self.client is None else self.client.persist(task, retries=ATTEMPTS)
        return value.task

    def _sum(self, job: Callable[..., Any], parts: Sequence[Any], add: Callable[[Any, Any], Any], shared: Sequence[Any]) -> Any:
        held = [self._given(value) for value in shared]
        values = [self.dask.delayed(job, pure=False)(part, *held) for part in parts]
        while len(values) > 1:
            groups = [values[k : k + FAN_IN] for k in range(0, len(values), FAN_IN)]
            values = [self.dask.delayed(added_up, pure=False)(add, group) for group in groups]
        return values[0]


def added_up(add: Callable[[Any, Any], Any], values: Sequence[Any]) -> Any:
    """The sum of some values, from the left."""
    whole = values[0]
    for value in values[1:]:
        whole = add(whole, value)
    return whole


def connected(address: str) -> Any:
    """A client of the scheduler at an address."""
    try:
        from distributed import Client
    except ModuleNotFoundError as missing:
        raise GivenError(f"{EXTRA}, with dask.distributed.") from missing
    try:
        return Client(address, timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise GivenError(f"No Dask scheduler answers at {address}: {error}") from error
