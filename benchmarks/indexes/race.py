"""The timing: all indexes in one process, in turn, round after round."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.indexes import K
from benchmarks.indexes.curve import Point
from benchmarks.indexes.data import Questions
from benchmarks.indexes.threads import held_to
from benchmarks.peers import Approximate

BEGIN = time.perf_counter()
WARMING = 50  # queries before each timing: caches still hold another index


@dataclass
class Timing:
    """What the rounds showed of one setting."""

    setting: Any
    recall: float = 0.0
    distances: float | None = None
    rounds: list[dict[str, float]] = field(default_factory=list)

    def point(self) -> Point:
        median = {key: statistics.median(times[key] for times in self.rounds) for key in self.rounds[0]}
        return Point(self.setting, self.recall, distances=self.distances, **median)


@dataclass
class Entrant:
    index: Approximate
    timings: list[Timing]


def run(
    settings: list[tuple[Approximate, list[Any]]],
    questions: Questions,
    rounds: int,
    threads: int,
    *,
    single: bool,
) -> dict[str, list[Point]]:
    """Every index's points: one query a call on one CPU, or all queries in one call on `threads` of them."""
    threads = 1 if single else threads
    entrants = [Entrant(index, [Timing(setting) for setting in some]) for index, some in settings]
    once = time_singles if single else time_batch
    with held_to(threads):
        for number in range(rounds):
            say(f"  {'single queries' if single else 'batches'}, round {number + 1} of {rounds}")
            # A different one begins each round, so that no one always follows the same neighbour's mess.
            start = number % len(entrants)
            for entrant in entrants[start:] + entrants[:start]:
                for timing in entrant.timings:
                    once(entrant.index, timing, questions, threads)
        if single:
            say("  counting distances")
            for entrant in entrants:
                count_distances(entrant, questions)
    return {entrant.index.name: [timing.point() for timing in entrant.timings] for entrant in entrants}


def time_singles(index: Approximate, timing: Timing, questions: Questions, threads: int) -> None:
    rows = index.rows(questions.queries(index.native))
    search = index.single(timing.setting, K)
    for row in rows[-WARMING:]:
        search(row)
    clock, taken, found = time.perf_counter_ns, [], []
    with no_collection():
        for row in rows:
            start = clock()
            ids = search(row)
            taken.append(clock() - start)
            found.append(ids)
    note(timing, questions, found)
    seconds = np.array(taken) * 1e-9
    p50, p99 = np.percentile(seconds, [50, 99])
    timing.rounds.append({"rate": len(rows) / float(seconds.sum()), "p50": float(p50), "p99": float(p99)})


def time_batch(index: Approximate, timing: Timing, questions: Questions, threads: int) -> None:
    queries = questions.queries(index.native)
    search = index.batch(timing.setting, K, threads)
    search(queries[-WARMING:])
    with no_collection():
        start = time.perf_counter()
        ids = search(queries)
        seconds = time.perf_counter() - start
    note(timing, questions, ids)
    timing.rounds.append({"rate": len(queries) / seconds})


def note(timing: Timing, questions: Questions, found: Any) -> None:
    """Recall of the very answers that were timed; the first round's, as the others' are the same."""
    if not timing.rounds:
        timing.recall = questions.recall(found)


def count_distances(entrant: Entrant, questions: Questions) -> None:
    queries = questions.queries(entrant.index.native)
    for timing in entrant.timings:
        timing.distances = entrant.index.distances(queries, timing.setting, K)


class no_collection:  # noqa: N801
    """Garbage is collected before, not during."""

    def __enter__(self) -> None:
        gc.collect()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        gc.enable()


def say(line: str) -> None:
    """Progress, with the seconds since the program began."""
    print(f"{time.perf_counter() - BEGIN:6.0f} s  {line}", file=sys.stderr, flush=True)
