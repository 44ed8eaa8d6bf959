"""Rules of CONTRIBUTING.md for Python sources that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from repository import ROOT, tracked

LONGEST_FUNCTION = 80  # lines, docstring included
SOURCES = tracked("python/lookalike/*.py")
# Grammars other than "<argument> is <what came>; it must be <what is needed>".
OTHER_GRAMMARS = re.compile(r"needed:|: got |\bneed an? |\b(?:is|are) needed$")


def raised_texts(tree: ast.AST) -> Iterator[str]:
    """The text between the values of every message that a `raise` statement builds in place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            for part in ast.walk(node.exc):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def test_errors_have_one_grammar() -> None:
    texts = [(path, text) for path in SOURCES for text in raised_texts(ast.parse(path.read_text()))]
    assert sum("must be" in text for _, text in texts) > 40
    others = [f"{path.relative_to(ROOT)}: {text}" for path, text in texts if OTHER_GRAMMARS.search(text)]
    assert not others


def test_functions_fit_on_a_screen_or_two() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert not long
