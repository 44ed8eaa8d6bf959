"""The table of models that `lookalike models` prints: what each is, how good, how fast, and if it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..embed.cards import located
from ..embed.cards.summary import Measured, Summary, read_summary
from ..embed.opening import open_embedder
from ..errors import Error, ModelError
from .output import print_json, print_line, print_table

PIXELS = "pixels-32"


@dataclass(frozen=True)
class Listed:
    """A model as it is listed: why it could not be opened, if so, and whether it ought to have been."""

    summary: Summary
    trouble: str = ""
    broken: bool = False

    @property
    def bytes(self) -> int:
        """Size on disk of the files that run, those of installed packages too; 0 where one is missing."""
        try:
            return sum(file.place(self.summary.name).stat().st_size for file in self.summary.needed)
        except (OSError, ImportError):
            return 0


def listed_models() -> list[Listed]:
    """Every shipped model of every kind, opened to see whether it works, and the baseline of pixels."""
    folders = filter(None, map(located.find_shipped, located.shipped_models()))
    return [*(_open(read_summary(folder), folder.name) for folder in folders), _open(_pixels(), PIXELS)]


def print_models(as_json: bool) -> None:
    """Print the list. Raises ModelError in the end where a model is there and does not work."""
    models = listed_models()
    if as_json:
        print_json([_as_json(model) for model in models])
    else:
        _print_table(models)
    if broken := [model.trouble for model in models if model.broken]:
        raise ModelError("; ".join(broken))


def _open(summary: Summary, name: str) -> Listed:
    missing = [file for file in summary.needed if file.package is None and not file.path.exists()]
    if missing:
        remedy = f"; this makes it: {missing[0].build}" if missing[0].build else ""
        return Listed(summary, f"{missing[0].path} is not built{remedy}")
    try:
        open_embedder(name, device="cpu", threads=1)
    except ImportError as error:
        return Listed(summary, str(error))
    except Error as error:
        return Listed(summary, str(error), broken=True)
    return Listed(summary)


def _pixels() -> Summary:
    return Summary(PIXELS, "image", open_embedder(PIXELS).dim, "Apache-2.0", "the picture itself", {}, None)


def _as_json(model: Listed) -> dict[str, Any]:
    summary, measured = model.summary, model.summary.measured
    return {
        "name": summary.name,
        "kind": summary.kind,
        "dim": summary.dim,
        "bytes": model.bytes,
        "license": summary.license,
        "source": summary.source,
        "measured": vars(measured) if measured else None,
        "works": not model.trouble,
        "trouble": model.trouble or None,
    }


def _print_table(models: list[Listed]) -> None:
    rows = []
    for model in models:
        summary, measured = model.summary, model.summary.measured
        size = f"{model.bytes / 1e6:.1f} MB" if model.bytes else "-"
        found = [f"{measured.quality:.3f}", f"{measured.milliseconds:.1f}"] if measured else ["-", "-"]
        rows.append([summary.name, summary.kind, str(summary.dim), size, summary.license, *found])
    print_table(["model", "kind", "dim", "size", "licence", "quality", "ms"], rows, right=(2, 3, 5, 6))
    for remark in dict.fromkeys(_remark(model.summary.measured) for model in models):
        if remark:
            print_line(remark)
    for model in models:
        if model.trouble:
            print_line(f"{model.summary.name}: {model.trouble}")


def _remark(measured: Measured | None) -> str:
    if measured is None:
        return ""
    return f"quality: {measured.quality_of}; ms: {measured.milliseconds_of} ({measured.command})"
