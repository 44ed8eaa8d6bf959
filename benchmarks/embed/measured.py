"""Puts what was measured where people look for it: into every model.toml and into models/README.md."""

from __future__ import annotations

import re

from benchmarks.datasets import ROOT

MODELS = ROOT / "models"
_BLOCK = re.compile(r"\n*^\[measured\]\n(?:(?!\[).*\n?)*", re.MULTILINE)


def write_card(name: str, quality: float, of: str, milliseconds: float, command: str) -> None:
    """Put a model's numbers into its model.toml, in place of those that were there."""
    from lookalike.embed.cards.summary import read_summary

    card = MODELS / name / "model.toml"
    rest = _BLOCK.sub("\n\n", card.read_text()).strip()
    card.write_text(
        f"{rest}\n\n[measured]\n"
        f'quality = {quality:.3f}\nquality_of = "{of}"\n'
        f"milliseconds = {milliseconds:.1f}\n"
        'milliseconds_of = "one decoded photo to its vector, on one thread"\n'
        f'command = "{command}"\n'
    )
    written = read_summary(card.parent).measured
    assert written is not None and written.quality == round(quality, 3)


def write_table(table: str, command: str) -> None:
    """Put the table between the two marks of models/README.md."""
    page = MODELS / "README.md"
    begin, end = f"<!-- `{command} --write` writes this -->", "<!-- to here -->"
    text = page.read_text()
    assert text.count(begin) == text.count(end) == 1, f"{page} has lost its marks"
    before, after = text.split(begin)[0], text.split(end)[1]
    page.write_text(f"{before}{begin}\n{table}\n{end}{after}")
