"""The machine that is measured: its threads and its heap are set before NumPy is imported, and it says what it is.

A heap that is *settled* keeps what was freed for the next array. The heap of the GNU C library maps a large array, and gives it
back to the system when it is freed, until the first large array has been freed: then it keeps that much. A program that never
frees one pays for new pages in every call, a program that once did does not, so what is timed would depend on what ran before.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import importlib.metadata
import os
import platform
from pathlib import Path

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS")
LARGEST_KEPT = (32 << 20) - (1 << 16)  # bytes; what is larger is always mapped


def prepare(threads: str, heap: str) -> None:
    """Threads are "1", which also binds the process to one core, or "default"; a heap is "settled" or "default"."""
    for variable in THREADS:
        os.environ.pop(variable, None)
    if threads == "1":
        os.environ |= dict.fromkeys(THREADS, "1")
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import numpy as np

    if heap == "settled":
        np.empty(LARGEST_KEPT, np.uint8)


def facts(threads: str, heap: str) -> str:
    """The date, the processor, the versions of what counts, in one line."""
    import numpy as np

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[call-overload]
    parts = [
        f"{datetime.date.today():%d %B %Y}",
        processor(),
        f"{os.cpu_count()} cores",
        f"Python {platform.python_version()}",
        f"NumPy {np.__version__}",
        f"{blas['name']} {blas['version']}{kernels()}",
        f"threads: {threads}",
        f"heap: {heap}",
        *(f"{name}={value}" for name, value in tuned().items()),
    ]
    return ", ".join(parts)


def tuned() -> dict[str, str]:
    """What the environment tells OpenBLAS besides threads. It changes every product, so no table may be without it."""
    return {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_") and name not in THREADS}


def processor() -> str:
    """The model, with the widest vectors that it has: some virtual machines hide the rest of the name."""
    with contextlib.suppress(OSError):
        told = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
        told = {key.strip(): value.strip() for key, value in told.items()}
        if "model name" in told:
            family = f" family {told['cpu family']}" if "cpu family" in told else ""
            wide = next((name for name in ("avx512f", "avx2") if name in told.get("flags", "").split()), "")
            return f"{told['model name']}{family} {wide}".strip()
    return platform.processor() or platform.machine()


def kernels() -> str:
    """Whose kernels OpenBLAS has chosen, where it says so."""
    import numpy as np

    for library in (Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas*"):
        with contextlib.suppress(OSError, AttributeError):
            name = ctypes.CDLL(str(library)).scipy_openblas_get_corename64_
            name.restype = ctypes.c_char_p
            return f" ({name().decode()} kernels)"
    return ""


def versions(*packages: str) -> str:
    """The installed ones of these packages."""
    found = []
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{package} {importlib.metadata.version(package)}")
    return ", ".join(found)
