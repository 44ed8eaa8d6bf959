"""The models that came with lookalike, and where they lie."""

from __future__ import annotations

from pathlib import Path

from .fields import FILE_NAME
from .summary import read_summary


def shipped_models(kind: str | None = None) -> list[str]:
    """Names of the models that came with lookalike: all, or those of one kind.

    >>> from lookalike.embed.cards.shipped import shipped_models
    >>> "efficientnet-lite0" in shipped_models("image")
    True
    """
    folders = {folder.name: folder for root in reversed(_roots()) for folder in root.glob("*")}
    cards = {name: folder for name, folder in folders.items() if (folder / FILE_NAME).is_file()}
    return sorted(name for name, folder in cards.items() if kind in (None, read_summary(folder).kind))


def find_shipped(name: str) -> Path | None:
    """Return the folder of a shipped model, None where there is none of that name."""
    if name != Path(name).name:
        return None
    found = (root / name for root in _roots() if (root / name / FILE_NAME).is_file())
    return next(found, None)


def _roots() -> list[Path]:
    """Where shipped models may lie: inside the installed package, or in the source tree beside it."""
    package = Path(__file__).resolve().parents[2]
    return [package / "models", package.parents[1] / "models"]
