"""From options to tables: one data set after the other, built, raced and reported."""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
from dataclasses import dataclass
from typing import Any

from benchmarks import datasets, machine, peers
from benchmarks.indexes import data, plot, race, sweep, tables, upkeep, workshop
from benchmarks.indexes.curve import Point
from benchmarks.indexes.race import say
from benchmarks.indexes.workshop import Built

BATCH = 5000  # queries in a batch, at most


@dataclass
class Result:
    """All that is known about the indexes of one data set."""

    dataset: datasets.Dataset
    built: dict[str, tuple[str, Built]]  # name -> settings, index
    races: dict[str, dict[str, list[Point]]]  # "single" or "batch" -> name -> points


def everything(options: argparse.Namespace) -> None:
    contestants = chosen(options.contestants, options.family)
    results = [compare(name, contestants, options) for name in names(options)]
    rivals = rivalries(contestants)
    for result in results:
        print("\n".join(report(result, rivals, options)), flush=True)
    if options.upkeep and any(index.ours and "graphs" in index.families for index in contestants):
        for name in names(options):
            for title, rows in upkeep.tables(data.load(name), options.threads):
                print(f"\n{name}. {title}.\n\n{tables.render(rows, options.markdown)}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(raw(results, contestants), indent=1, allow_nan=True))
    if options.plot and results:
        panels = [
            [(f"{r.dataset.name}, {words(mode, options.threads)}", r.races[mode]) for r in results]
            for mode in results[0].races
        ]
        plot.draw(panels, list(rivals), options.plot)


def chosen(wanted: list[str] | None, family: str) -> list[type[peers.Approximate]]:
    """The indexes that can run here and are asked for."""
    families = {"graphs", "lists"} if family == "all" else {family}
    every = [index for index in peers.approximate() if families.intersection(index.families)]
    if not any(index.ours for index in every):
        say(f"lookalike has none of the {family} here: peers only")
    found = [index for index in every if not wanted or any(w.lower() in index.name.lower() for w in wanted)]
    if not found:
        raise SystemExit(f"no such index; there are: {', '.join(index.name for index in every)}")
    return found


def rivalries(contestants: list[type[peers.Approximate]]) -> dict[str, list[str]]:
    """Ours, and the peers that each of them has to beat: those of its own family."""
    return {
        mine.name: [
            other.name
            for other in contestants
            if not other.ours and set(other.families).intersection(mine.families)
        ]
        for mine in contestants
        if mine.ours and mine.raced
    }


def yardsticks(contestants: list[type[peers.Approximate]]) -> list[type[peers.Approximate]]:
    """Our graph, where our lists are raced without it: how long it takes to be built is compared."""
    ours = {family for index in contestants if index.ours for family in index.families}
    return [
        index
        for index in peers.approximate()
        if index.ours and "graphs" in index.families and ours == {"lists"}
    ]


def names(options: argparse.Namespace) -> list[str]:
    """The data sets that are asked for and there."""
    if options.quick:
        return list(data.TOYS)
    found = []
    for name in options.datasets or datasets.KNOWN:
        if name not in datasets.KNOWN:
            raise SystemExit(f"no data set {name}; there are: {', '.join(datasets.KNOWN)}")
        if datasets.available(name):
            found.append(name)
        else:
            say(f"{name} is left out: not in {datasets.data_folder()}")
    return found


def compare(name: str, contestants: list[type[peers.Approximate]], options: argparse.Namespace) -> Result:
    """Build or find the indexes of a data set, and race them."""
    dataset = data.load(name)
    built: dict[str, tuple[str, Built]] = {}
    loaded = []
    for contestant in contestants + yardsticks(contestants):
        say(f"{name}: {contestant.name}")
        try:
            index = workshop.build(contestant, dataset, options.threads, options.rebuild)
            if contestant.raced and contestant in contestants:
                loaded.append(contestant.load(index.path, dataset.dim, dataset.metric))
            built[contestant.name] = (contestant.settings, index)
        except RuntimeError as error:
            say(f"{contestant.name} is left out: {error}")
    say("  looking for settings")
    sample = data.Questions(dataset, sweep.SAMPLE)
    settings = [(index, sweep.worthwhile(index, sample, options.threads)) for index in loaded]
    races = {}
    for mode, asked in (("single", options.single), ("batch", options.batch)):
        if asked:
            most = BATCH if mode == "batch" and not options.quick else options.queries
            questions = data.Questions(dataset, most)
            single = mode == "single"
            races[mode] = race.run(settings, questions, options.rounds, options.threads, single=single)
    settings.clear()
    loaded.clear()
    gc.collect()
    return Result(dataset, built, races)


def report(result: Result, rivals: dict[str, list[str]], options: argparse.Namespace) -> list[str]:
    """The lines about one data set."""
    dataset = result.dataset
    lines = [
        f"\n### {dataset.name}: {len(dataset.base):,} x {dataset.dim} {dataset.base.dtype}, {dataset.metric}"
    ]

    def table(rows: list[list[str]]) -> None:
        lines.extend(["", tables.render(rows, options.markdown)])

    for mode, curves in result.races.items():
        lines += ["", f"{words(mode, options.threads).capitalize()}; median of {options.rounds} rounds."]
        table(tables.of_rates(curves, rivals))
        if mode == "single":
            table(tables.of_latencies(curves))
    lines += [
        "",
        f"Built on {options.threads} threads. A * marks what was measured at a higher recall, the lowest.",
    ]
    table(tables.of_builds(result.built, dataset))
    for name, others in rivals.items():
        ours = [mine.name for mine in peers.approximate() if mine.ours and mine.raced and mine.name != name]
        said = [tables.build_ratio(result.built, name, some) for some in (others, ours)]
        lines += ["", *(f"{line}." for line in said if line)]
    return lines


def words(mode: str, threads: int) -> str:
    return "one query a call, 1 thread" if mode == "single" else f"all queries in one call, {threads} threads"


def raw(results: list[Result], contestants: list[type[peers.Approximate]]) -> dict[str, Any]:
    """Everything measured, for JSON."""
    found: dict[str, Any] = {
        "machine": machine.describe(),
        "versions": {index.package: workshop.package_version(index.package) for index in contestants},
        "datasets": {},
    }
    for result in results:
        found["datasets"][result.dataset.name] = {
            "built": {
                name: {
                    "settings": settings,
                    "seconds": index.seconds,
                    "cpu_seconds": index.cpu_seconds,
                    "resident": index.resident,
                }
                for name, (settings, index) in result.built.items()
            },
            "races": {
                mode: {
                    name: [dataclasses.asdict(point) for point in points] for name, points in curves.items()
                }
                for mode, curves in result.races.items()
            },
        }
    return found
