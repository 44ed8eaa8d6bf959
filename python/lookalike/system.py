"""What this build runs on."""

from __future__ import annotations

from typing import NamedTuple

from . import _core


class Info(NamedTuple):
    """What this build runs on.

    Attributes
    ----------
    version : str
        Of lookalike.
    isa : str
        The instruction set in use: the best one here, or the one the environment variable LOOKALIKE_ISA
        names.
    isas : tuple of str
        All instruction sets this build has kernels for and this CPU runs.
    threads : int
        CPUs this process may use: its affinity and its container's share.

    Examples
    --------
    >>> "scalar" in la.info().isas
    True
    """

    version: str
    isa: str
    isas: tuple[str, ...]
    threads: int


def info() -> Info:
    """Return the version, the instruction set in use and the number of threads.

    Examples
    --------
    >>> la.info().version == la.__version__
    True
    """
    return Info(_core.__version__, _core.isa(), tuple(_core.runnable_isas()), _core.available_threads())
