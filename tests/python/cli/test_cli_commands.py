"""The commands, called as a user calls them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_embedder import TinyEmbedder, write_photo

pytest.importorskip("PIL")
from PIL import Image

import lookalike as la
from lookalike.cli import main
from lookalike.cli.app import _parser

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call the command line with a model that needs no weights; give status, stdout and stderr."""
    monkeypatch.setattr("lookalike.library.library._as_embedder", lambda model: TinyEmbedder())

    def call(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main([os.fspath(a) if isinstance(a, Path) else str(a) for a in arguments])
        except SystemExit as stop:
            status = int(stop.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(12):
        write_photo(tmp_path / "photos" / f"{seed}.png", seed, size=(240, 160))
    return tmp_path / "photos"


def as_json(result: tuple[int, str, str]) -> Any:
    status, out, err = result
    assert (status, err) == (0, "")
    return json.loads(out)


def test_sync_says_what_it_did(run: Run, folder: Path) -> None:
    (folder / "bad.jpg").write_bytes(b"?")
    status, out, err = run("sync", folder)
    assert status == 0
    assert out.startswith("12 added, 0 changed, 0 removed, 0 unchanged, 1 could not be read in ")
    assert err.startswith(f"{folder / 'bad.jpg'}: ")
    report = as_json(run("sync", folder, "--json"))
    assert {**report, "seconds": 0, "errors": list(report["errors"])} == {
        "added": 0,
        "changed": 0,
        "removed": 0,
        "unchanged": 12,
        "errors": [str(folder / "bad.jpg")],
        "seconds": 0,
    }


def test_search_on_a_folder_never_seen_syncs_it(run: Run, folder: Path) -> None:
    status, out, err = run("search", folder / "4.png", folder, "-k", 3)
    assert status == 0
    assert "12 added" in err
    lines = out.splitlines()
    assert lines[0].split() == ["rank", "distance", "path"]
    assert lines[1].split() == ["1", "0.0000", str(folder / "4.png")]
    assert len(lines) == 4
    assert len({line.index(str(folder)) for line in lines[1:]}) == 1
    write_photo(folder / "late.png", 70)
    assert len(run("search", folder / "4.png", folder, "-k", 99)[1].splitlines()) == 13
    assert len(run("search", folder / "4.png", folder, "-k", 99, "--sync")[1].splitlines()) == 14


def test_search_json_has_its_schema(run: Run, folder: Path) -> None:
    run("sync", folder)
    answer = as_json(run("search", folder / "4.png", folder, "-k", 5, "--json"))
    assert set(answer) == {"query", "k", "hits", "sync", "sheet"}
    assert (answer["query"], answer["k"], answer["sync"], answer["sheet"]) == (
        str(folder / "4.png"),
        5,
        None,
        None,
    )
    assert [hit["rank"] for hit in answer["hits"]] == [1, 2, 3, 4, 5]
    expected = la.Library(folder, model=TinyEmbedder()).search(folder / "4.png", k=5)
    assert [hit["path"] for hit in answer["hits"]] == [str(path) for path in expected.paths]
    assert [hit["distance"] for hit in answer["hits"]] == pytest.approx(expected.distances)
    assert all(hit["score"] == pytest.approx(1 - hit["distance"]) for hit in answer["hits"])


def test_search_draws_a_sheet(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("search", folder / "4.png", folder, "--sheet", tmp_path / "out.png")[0] == 0
    with Image.open(tmp_path / "out.png") as sheet:
        assert sheet.width > 800
        assert sheet.height > 400
        assert np.asarray(sheet).std() > 20


def test_dups_on_a_folder_never_seen_names_what_it_could_not_read(run: Run, folder: Path) -> None:
    (folder / "bad.jpg").write_bytes(b"?")
    status, _, err = run("dups", folder)
    assert status == 0
    assert "bad.jpg" in err


def test_dups_prints_groups(run: Run, folder: Path) -> None:
    write_photo(folder / "3-large.png", 3, size=(96, 64))
    status, out, _ = run("dups", folder, "--threshold", 0.9999)
    assert (status, out.split()) == (0, [str(folder / "3-large.png"), str(folder / "3.png")])
    answer = as_json(run("dups", folder, "--threshold", 0.9999, "--json"))
    assert answer == {"threshold": 0.9999, "groups": [[str(folder / "3-large.png"), str(folder / "3.png")]]}
    (folder / "3-large.png").unlink()
    run("sync", folder)
    assert "no near copies" in run("dups", folder, "--threshold", 0.9999)[1]


def test_names_of_no_encoding_come_out_whole(run: Run, folder: Path) -> None:
    odd = folder / os.fsdecode(b"\xe9\n.png")
    try:
        (folder / "0.png").rename(odd)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    answer = as_json(run("search", odd, folder, "-k", 1, "--json")) if not run("sync", folder)[0] else None
    assert answer["hits"][0]["path"] == str(odd)
    assert r"\udce9\n.png" in run("search", odd, folder, "-k", 1)[1]


def test_check_tells_a_sound_index_from_a_corrupt_one(run: Run, folder: Path) -> None:
    run("sync", folder)
    index = folder / ".lookalike" / "photos.look"
    status, out, err = run("check", index)
    assert (status, err) == (0, "")
    assert out.splitlines()[0].split() == [str(index), "sound"]
    facts = as_json(run("check", index, "--json"))
    assert facts["ok"] is True
    assert facts["index"] == "Flat"
    data = bytearray(index.read_bytes())
    data[len(data) // 2] ^= 1
    index.write_bytes(data)
    status, out, err = run("check", index)
    assert (status, out) == (1, "")
    assert str(index) in err


def test_models_lists_the_shipped_default(run: Run) -> None:
    models = as_json(run("models", "--json"))
    default = next(model for model in models if model["name"] == "efficientnet-lite0")
    assert default["dim"] == 1280
    assert default["license"] == "Apache-2.0"
    assert default["bytes"] > 1e6
    status, out, _ = run("models")
    assert status == 0
    assert "efficientnet-lite0" in out


def test_bench_prints_figures(run: Run) -> None:
    figures = as_json(run("bench", "--rows", 2000, "--dim", 16, "--queries", 20, "--photos", 2, "--json"))
    assert figures["search"]["rows"] == 2000
    rates = [value for part in ("search", "embed") if part in figures for value in figures[part].values()]
    assert all(value > 0 for value in rates if not isinstance(value, str))


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 2, "COMMAND"),
        (("serve",), 2, "serve"),
        (("sync",), 2, "DIR"),
        (("sync", "{missing}"), 1, "no such folder"),
        (("sync", ""), 1, "folder is ''"),
        (("sync", "{folder}", "--store", ""), 1, "store is ''"),
        (("sync", "{photo}"), 1, "is a file"),
        (("search", "{missing}", "{folder}"), 1, "no such file"),
        (("search", "{photo}", "{missing}"), 1, "no such folder"),
        (("search", "{photo}", "{folder}", "-k", "0"), 2, "at least 1"),
        (("search", "{photo}", "{folder}", "-k", "many"), 2, "at least 1"),
        (("search", "{photo}", "{folder}", "--sheet", "out.txt"), 1, "no image format"),
        (("search", "{photo}", "{folder}", "--sheet", "{missing}/out.png"), 1, "cannot be written"),
        (("search", "{broken}", "{folder}"), 1, "broken"),
        (("dups", "{folder}", "--threshold", "7"), 2, "at most 1"),
        (("dups", "{missing}"), 1, "no such folder"),
        (("check", "{missing}"), 1, "no such file"),
        (("check", "{folder}"), 1, "it must be an index file"),
        (("check", "{photo}"), 1, "0.png"),
        (("bench", "--rows", "-3"), 2, "at least 1"),
        (("models", "extra"), 2, "argument [export]: invalid choice: 'extra'"),
    ],
)
def test_bad_input_gives_one_line_and_a_status(
    run: Run, folder: Path, tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"?")
    run("sync", folder)
    places = {
        "missing": tmp_path / "missing",
        "folder": folder,
        "photo": folder / "0.png",
        "broken": tmp_path / "broken.jpg",
    }
    got, out, err = run(*(argument.format(**places) for argument in arguments))
    assert (got, out) == (status, "")
    assert err.count("\n") == 1
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["sync", "search", "dups", "models", "check", "bench"])
def test_every_command_has_help_and_json(run: Run, command: str) -> None:
    status, out, _ = run(command, "--help")
    assert status == 0
    assert "--json" in out
    assert command in run("--help")[1]


@pytest.mark.parametrize("message", ["No module named 'PIL'", "no PIL: pip install 'lookalike[images]'"])
def test_a_missing_extra_is_named_once(run: Run, monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    def fail(*_: object) -> None:
        raise ImportError(message)

    monkeypatch.setattr("lookalike.embed.cards.located.shipped_models", fail)
    status, out, err = run("models")
    assert (status, out, err.count("pip install 'lookalike[images]'")) == (1, "", 1)


def test_commands_that_need_no_image_work_without_what_decodes_them() -> None:
    code = "import sys; sys.modules['PIL'] = None; from lookalike.cli import main; main(['--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_model_is_not_the_default_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", str(folder), "--model", ""]) == 1
    assert capsys.readouterr().err.startswith("lookalike: model is ''; it must be ")


@pytest.mark.parametrize("words", [["--json", "export"], ["export", "--json"]])
def test_json_may_stand_before_a_command_of_a_command(words: list[str]) -> None:
    assert _parser().parse_args(["models", *words, "timm:any", "-o", "model"]).json
    assert not _parser().parse_args(["models", "export", "timm:any", "-o", "model"]).json


def test_version(run: Run) -> None:
    assert run("--version")[:2] == (0, f"lookalike {la.__version__}\n")


def test_ctrl_c_exits_with_130(folder: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2] / "support")!r})
from tiny_embedder import TinyEmbedder
import lookalike.library.library as library
library._as_embedder = lambda model: TinyEmbedder(seconds=1.0)
from lookalike.cli import main
print("ready", flush=True)
sys.exit(main(["sync", {str(folder)!r}]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "lookalike: interrupted\n")


def test_a_closed_pipe_is_no_traceback(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lookalike.cli", "models", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err
