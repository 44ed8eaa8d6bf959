"""A study as tables, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .metrics import Scores
from .study import Study


@dataclass(frozen=True)
class Table:
    """A title, the heads of the columns, and the rows; the first `words` columns are words, not numbers."""

    title: str
    heads: list[str]
    rows: list[list[str]]
    words: int


def headline(found: Study) -> str:
    """Say in a sentence what was measured."""
    photos = found.photos
    text = (
        f"{len(photos.paths):,} photos of {len(set(photos.classes))} classes (by {photos.how}), "
        f"{len(found.queries):,} of them searched for among all, by cosine. A share is good to "
        f"\N{PLUS-MINUS SIGN}{found.margin:.2f} or better (95 %)."
    )
    if found.alone:
        text += f" Never searched for: {found.alone}, alone in their class."
    if photos.unlabelled:
        text += f" Left out: {photos.unlabelled} without a class."
    if found.errors:
        text += f" Not read: {len(found.errors)}."
    return text


def summary(found: Study) -> Table:
    """Each model's scores, undistorted and on average over all distortions and strengths."""
    rows = []
    for model in found.models:
        rows.append([model.name, str(model.dim), "as they are", *_all_four(model.clean)])
        if model.distorted:
            rows.append(["", "", "distorted", *_all_four(Scores.mean(list(model.distorted.values())))])
    heads = ["model", "dim", "queries", "precision@1", f"recall@{found.k}", "mAP", "finds itself"]
    return Table("Models, and the mean over all distortions", heads, rows, words=3)


def found_class_and_itself(found: Study) -> Table:
    """precision@1 and copy detection under every distortion."""
    title = "Finds its class (precision@1) / finds itself"
    return _by_distortion(found, title, lambda scores: (scores.precision_at_1, scores.finds_itself))


def recall_and_precision(found: Study) -> Table:
    """recall@k and mAP under every distortion."""
    title = f"recall@{found.k} / mAP"
    return _by_distortion(found, title, lambda scores: (scores.recall_at_k, scores.mean_average_precision))


def markdown(table: Table) -> str:
    """Write a table as Markdown.

    >>> print(markdown(Table("Legs", ["animal", "legs"], [["cat", "4"]], words=1)))
    **Legs**
    <BLANKLINE>
    | animal | legs |
    |:--|--:|
    | cat | 4 |
    """
    rule = "|" + ":--|" * table.words + "--:|" * (len(table.heads) - table.words)
    lines = ["| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in [table.heads, *table.rows]]
    return "\n".join([f"**{table.title}**", "", lines[0], rule, *lines[1:]])


def document(found: Study) -> str:
    """Write all tables as Markdown."""
    tables = [summary(found), found_class_and_itself(found), recall_and_precision(found)]
    return "\n\n".join([headline(found), *map(markdown, tables if found.distortions else tables[:1])]) + "\n"


def _by_distortion(found: Study, title: str, pick: Callable[[Scores], tuple[float, float]]) -> Table:
    def cells(scores: list[Scores]) -> list[str]:
        return [f"{first:.2f} / {second:.2f}" for first, second in map(pick, scores)]

    rows = [["none", "", *cells([model.clean for model in found.models])]]
    for distortion in found.distortions:
        for strength in distortion.strengths:
            scores = [model.distorted[distortion.name, strength] for model in found.models]
            name = distortion.name if strength == distortion.strengths[0] else ""
            rows.append([name, distortion.label(strength), *cells(scores)])
    heads = ["distortion", "strength", *(model.name for model in found.models)]
    return Table(title, heads, rows, words=2)


def _all_four(scores: Scores) -> list[str]:
    four = (scores.precision_at_1, scores.recall_at_k, scores.mean_average_precision, scores.finds_itself)
    return [f"{score:.2f}" for score in four]


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
