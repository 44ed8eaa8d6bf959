"""What no cell should do."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.recall.cell import Measured

LEAST = 0.95  # recall
SELF = 0.999  # share of stored rows that find themselves
MARGIN = 0.01  # of recall, that says something
SLOWER = 1.2  # times as long, that says something
ALMOST = 0.999  # the recall of exact search, where float32 cannot tell the tenth from the eleventh


def refused(cell: Measured) -> str | None:
    return cell.get("error")


def low(cell: Measured) -> str | None:
    recall = cell["ours"]["recall"]
    return f"recall {recall:.3f}" if recall < LEAST else None


def beaten(cell: Measured) -> str | None:
    """A peer that finds more and takes no longer."""
    ours, peer = cell["ours"], cell.get("peer")
    if not peer or peer["recall"] <= ours["recall"] + MARGIN or peer["ms"] > ours["ms"]:
        return None
    return f"peer {peer['recall']:.3f} in {peer['ms']:.3f} ms, ours {ours['recall']:.3f} in {ours['ms']:.3f}"


def lost(cell: Measured) -> str | None:
    share = cell["ours"]["self"]
    return f"{share:.2%} find themselves" if share < SELF else None


def grown_worse(cell: Measured) -> str | None:
    ours, fresh = cell["ours"], cell.get("fresh")
    if not fresh or fresh["recall"] - ours["recall"] <= MARGIN:
        return None
    return f"recall {ours['recall']:.3f}, in one batch {fresh['recall']:.3f}"


def grown_slower(cell: Measured) -> str | None:
    ours, fresh = cell["ours"], cell.get("fresh")
    if not fresh or ours["ms"] <= SLOWER * fresh["ms"]:
        return None
    return f"{ours['ms']:.3f} ms, in one batch {fresh['ms']:.3f}"


def wrong(cell: Measured) -> str | None:
    """Less than it said."""
    ours = cell["ours"]
    if ours["exact"] and ours["recall"] < ALMOST:
        return f"says it is exact, recall {ours['recall']:.4f}"
    if ours["promise"] and ours["recall"] < ours["promise"] - MARGIN:
        return f"promises {ours['promise']:.3f}, recall {ours['recall']:.3f}"
    return None


RULES: dict[str, Callable[[Measured], str | None]] = {
    f"recall below {LEAST}": low,
    "a peer finds more, no slower": beaten,
    "rows do not find themselves": lost,
    "finds less than in one batch": grown_worse,
    "slower than in one batch": grown_slower,
    "less than it said": wrong,
}
REFUSED = "refused"


def broken(cell: Measured) -> dict[str, str]:
    """The rules that a cell breaks, and by what."""
    if error := refused(cell):
        return {REFUSED: error}
    found = {name: rule(cell) for name, rule in RULES.items()}
    return {name: what for name, what in found.items() if what}
