"""The recipes of CONTRIBUTING.md that concern Python, each followed with a toy in a copy of the sources."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT

import lookalike as la

LETTERS = '''
"""Text files to vectors: how often each letter occurs."""

from __future__ import annotations

import numpy as np

from .cards.located import as_name, locate
from .cards.summary import take_summary
from .embedder import Facts, ModelEmbedder


class LetterEmbedder(ModelEmbedder):
    kind = "letters"
    _unit = "texts"

    def __init__(self, model, *, device="auto", threads=None):
        super().__init__(threads, model=as_name(model), device=device)
        found = locate(model)
        summary = take_summary(found.fields, found.path)
        found.fields.refuse_others()
        self._facts = Facts(summary.name, summary.dim, identity=f"{summary.name}:1")

    def embed(self, texts, *, progress=None, on_error="raise"):
        return self._collect(texts, self.embed_stream(texts), progress, on_error)

    def embed_stream(self, texts):
        for position, path in enumerate(texts):
            letters = path.read_text().lower()
            yield position, np.array([letters.count(chr(97 + i)) for i in range(self.dim)], np.float32)
'''

USE_LETTERS = """
import json, pickle, sys
from pathlib import Path
import lookalike as la
from lookalike.embed import open_embedder

model, texts = map(Path, sys.argv[1:])
opened = open_embedder(model)
again = pickle.loads(pickle.dumps(opened))
library = la.Library(texts, model=model)
report = library.sync()
hits = library.search(texts / "a.txt", k=2)
(model / "model.toml").write_text((model / "model.toml").read_text().replace("letters", "smells"))
try:
    open_embedder(model)
except la.ModelError as error:
    message = str(error)
print(json.dumps([repr(again), opened.embed([texts / "a.txt"]).tolist(), report.added,
                  [hit.path.name for hit in hits], message]))
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder with a copy of the package, built as it is here, which may be changed."""
    copy = tmp_path / "sources"
    shutil.copytree(Path(la.__file__).parent, copy / "python" / "lookalike")
    return copy


def add_line(file: Path, above: str, line: str) -> None:
    """Add one line to a list, below its first line."""
    text = file.read_text()
    assert text.count(above) == 1, f"{file.name} has lost its list, {above!r}"
    file.write_text(text.replace(above, f"{above}\n{line}"))


def run(sources: Path, *arguments: object) -> str:
    """Run Python with the copy in place of the package; return what it prints."""
    path = os.pathsep.join([str(sources / "python"), str(sources)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], env=environment, cwd=sources, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_embedding_kind_is_one_file_and_one_line(sources: Path) -> None:
    pytest.importorskip("onnxruntime")
    embed = sources / "python" / "lookalike" / "embed"
    (embed / "letters.py").write_text(LETTERS)
    add_line(
        embed / "kinds.py",
        "KINDS = {",
        '    "letters": Kind("letters", "LetterEmbedder", Files("texts", frozenset({".txt"}))),',
    )
    model, texts = sources / "model", sources / "texts"
    model.mkdir()
    lines = ['name = "alphabet"', 'kind = "letters"', "dim = 3", 'license = "MIT"', 'source = "a test"']
    (model / "model.toml").write_text("\n".join(lines))
    texts.mkdir()
    for name, text in {"a.txt": "aabbb", "b.txt": "aabb", "c.txt": "ccc", "d.jpg": "no text"}.items():
        (texts / name).write_text(text)
    shown, vectors, added, found, refused = json.loads(run(sources, "-c", USE_LETTERS, model, texts))
    assert shown.startswith("LetterEmbedder(") and "dim=3" in shown
    assert vectors == [[2.0, 3.0, 0.0]]
    assert added == 3 and found == ["a.txt", "b.txt"]
    assert "kind is 'smells'; it must be one of" in refused and "'letters'" in refused


def test_an_embedding_model_is_one_folder(sources: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from tiny_onnx import write_folder

    write_folder(sources / "models" / "toy", name='"toy"')
    listed = json.loads(run(sources, "-m", "lookalike.cli", "models", "--json"))
    (toy,) = [model for model in listed if model["name"] == "toy"]
    assert toy["works"] and (toy["kind"], toy["dim"], toy["license"]) == ("image", 3, "Apache-2.0")
    code = "import lookalike as la, numpy as np; print(la.ImageEmbedder('toy').embed(np.ones((9, 9), 'u1')))"
    assert "1. 1. 1." in run(sources, "-c", code)


def test_a_command_is_one_file_and_one_line(sources: Path) -> None:
    cli = sources / "python" / "lookalike" / "cli"
    (cli / "hello.py").write_text(
        "from .options import command\n"
        "from .output import print_json, print_line\n\n"
        "def add(commands):\n"
        "    command(commands, 'hello', run, 'Greet').add_argument('who')\n\n"
        "def run(arguments):\n"
        "    print_json(arguments.who) if arguments.json else print_line('hello ' + arguments.who)\n"
    )
    add_line(cli / "app.py", "COMMANDS = (", '    "hello",')
    assert run(sources, "-m", "lookalike.cli", "hello", "you") == "hello you\n"
    assert json.loads(run(sources, "-m", "lookalike.cli", "hello", "you", "--json")) == "you"
    assert "Greet" in run(sources, "-m", "lookalike.cli", "--help")


def test_a_benchmark_peer_is_one_file(sources: Path) -> None:
    shutil.copytree(ROOT / "benchmarks" / "peers", sources / "benchmarks" / "peers")
    (sources / "benchmarks" / "__init__.py").touch()
    (sources / "benchmarks" / "peers" / "toy.py").write_text(
        "from benchmarks.peers import Approximate\n\n"
        "name = 'toy exact'\n"
        "available = lambda: True\n\n"
        "class Exact:\n"
        "    pass\n\n"
        "class Toy(Approximate):\n"
        "    name, package, module, settings = 'toy', 'numpy', 'numpy', 'none'\n\n"
        "APPROXIMATE = [Toy]\n"
    )
    code = (
        "from benchmarks import peers; "
        "print([p.name for p in peers.installed()], [p.name for p in peers.approximate()])"
    )
    printed = run(sources, "-c", code)
    assert "'toy exact'" in printed and "'toy'" in printed
