"""What a sync did."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class SyncReport:
    """What a sync did, counted in files.

    Attributes
    ----------
    added, changed, removed, unchanged : int
        Files new to the library; files whose content (or model) changed and were embedded again; files that
        are gone; files left as they were. A renamed file counts as one removed and one added.
    errors : dict of Path to str
        Files and folders that could not be read, and why. They are not counted above.
    seconds : float
        How long it took.
    model : str
        The name of the model that embedded them.

    Examples
    --------
    >>> from lookalike.library import SyncReport
    >>> print(SyncReport(added=3, unchanged=40, seconds=0.25))
    3 added, 0 changed, 0 removed, 40 unchanged in 0.2 s
    """

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    errors: dict[Path, str] = field(default_factory=dict)
    seconds: float = 0.0
    model: str = ""

    def __str__(self) -> str:
        counts = (
            f"{self.added} added, {self.changed} changed, {self.removed} removed, {self.unchanged} unchanged"
        )
        broken = f", {len(self.errors)} could not be read" if self.errors else ""
        return f"{counts}{broken} in {self.seconds:.1f} s"
