"""The checks of arguments and the progress that every part of the package uses."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

import lookalike as la
from lookalike import _checks, _progress


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.array(3)])
def test_integers_of_any_type_are_taken(value: object) -> None:
    found = _checks.as_integer(value, "k", 1, 3)
    assert found == 3 and type(found) is int


@pytest.mark.parametrize("value", [True, np.True_, 3.0, "3", None, np.array([3, 4])])
def test_what_is_no_integer_is_named(value: object) -> None:
    with pytest.raises(la.InvalidArgument, match=r"^k is .*; it must be an int$"):
        _checks.as_integer(value, "k", 1)


@pytest.mark.parametrize(
    ("value", "most", "needed"),
    [(0, 9, "between 1 and 9"), (10, 9, "between 1 and 9"), (0, None, "at least 1")],
)
def test_integers_beyond_the_bounds_say_which(value: int, most: int | None, needed: str) -> None:
    with pytest.raises(la.InvalidArgument, match=f"^k is {value}; it must be {needed}$"):
        _checks.as_integer(value, "k", 1, most)


@pytest.mark.parametrize("value", [0, -1, 1.01, float("nan"), "0.5", True, None, [0.5], 10**400])
def test_numbers_beyond_the_bounds_are_refused(value: object) -> None:
    with pytest.raises(la.InvalidArgument, match=r"^recall is .*; it must be above 0 and at most 1$"):
        _checks.as_recall(value)


def test_numbers_at_the_bounds_are_taken() -> None:
    assert _checks.as_recall(1) == 1.0 and _checks.as_recall(np.float32(0.5)) == 0.5
    assert _checks.as_radius(float("-inf")) == float("-inf")
    with pytest.raises(la.InvalidArgument):
        _checks.as_radius(float("nan"))


def test_progress_is_nothing_a_bar_or_a_callable(capsys: pytest.CaptureFixture[str]) -> None:
    for nothing in (None, False):
        assert _progress.reporter(nothing, 3, "adding", "vectors")(3, 3) is None
    assert capsys.readouterr().err == ""
    report = _progress.reporter(True, 3, "adding", "vectors")
    for done in (1, 3):
        report(done, 3)
    assert capsys.readouterr().err.startswith("adding  3/3")
    assert _progress.reporter(max, 3, "adding", "vectors") is max
    with pytest.raises(la.InvalidArgument, match="progress is 1; it must be None, a bool or a callable"):
        _progress.reporter(1, 3, "adding", "vectors")


def test_a_bar_on_a_terminal_is_redrawn_in_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "ascii"

        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    report = _progress.reporter(True, 2, "adding", "vectors")
    report(1, 2)
    report(2, 2)
    first, last = terminal.getvalue().split("\r")[1:3]
    assert "1/2" in first and "2/2" in terminal.getvalue().split("\r")[-1]
    assert last.count("#") >= first.count("#") > 0 and terminal.getvalue().endswith("\n")
