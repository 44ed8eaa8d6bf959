"""Which settings of an index are worth timing: those on either side of the recalls of interest."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.indexes import TARGETS, K
from benchmarks.indexes.data import Questions
from benchmarks.peers import Approximate

SAMPLE = 500  # queries of a survey
ENOUGH = 0.9995  # recall past which a ladder is climbed no further
PATIENCE = 5.0  # seconds for a survey of one setting, likewise
STALE = 4  # settings in a row that found nothing more, likewise
LOOKS = 3  # at most, of which the fastest counts: the machine may have been elsewhere during one
LOOKED = 0.5  # seconds after which one look is enough
SLACK = 1.3  # by how much a setting may look slower than a better one and still be timed: looks deceive


@dataclass
class Rung:
    """A setting as a quick look has it."""

    setting: Any
    recall: float
    seconds: float


def worthwhile(index: Approximate, questions: Questions, threads: int) -> list[Any]:
    """The settings to time, in the order of the ladders."""
    ladders = [bracketing(climb(index, ladder, questions, threads)) for ladder in index.ladders]
    rungs = [rung for ladder in ladders for rung in ladder]
    return [rung.setting for rung in rungs if not beaten(rung, rungs)]


def climb(index: Approximate, ladder: Sequence[Any], questions: Questions, threads: int) -> list[Rung]:
    """Settings of a ladder from below, until one finds all but everything or costs too much."""
    queries = questions.queries(index.native)
    rungs: list[Rung] = []
    for setting in ladder:
        search = index.batch(setting, K, threads)
        ids, seconds = look(search, queries)
        rungs.append(Rung(setting, questions.recall(ids), seconds))
        stale = len(rungs) > STALE and rungs[-1].recall <= rungs[-1 - STALE].recall + 1e-4
        if (
            rungs[-1].recall >= ENOUGH
            or rungs[-1].seconds > PATIENCE
            or (stale and rungs[-1].recall > TARGETS[0])
        ):
            break
    return rungs


def look(search: Callable[[Any], Any], queries: Any) -> tuple[Any, float]:
    """What a search finds, and the seconds it takes."""
    seconds: list[float] = []
    while not seconds or (len(seconds) < LOOKS and seconds[-1] < LOOKED):
        start = time.perf_counter()
        ids = search(queries)
        seconds.append(time.perf_counter() - start)
    return ids, min(seconds)


def bracketing(rungs: Sequence[Rung]) -> list[Rung]:
    """Of settings with rising recall, the nearest two on both sides of every target."""
    kept: set[int] = set()
    for target in TARGETS:
        above = [i for i, rung in enumerate(rungs) if rung.recall >= target]
        below = [i for i, rung in enumerate(rungs) if rung.recall < target]
        kept |= set(above[:2]) | set(below[-1:])
    return [rungs[i] for i in sorted(kept)]


def beaten(rung: Rung, rungs: Sequence[Rung]) -> bool:
    """Whether another finds as much in far less time."""
    return any(other.recall >= rung.recall and other.seconds * SLACK < rung.seconds for other in rungs)
