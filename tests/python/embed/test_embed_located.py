"""A model is found, and its model.toml read, once, whatever way it is opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("PIL")
from tiny_onnx import flat, write_folder

import lookalike as la
from lookalike.embed import open_embedder
from lookalike.embed.cards import fields, located


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were parsed as TOML."""
    texts: list[str] = []
    loads = fields.tomllib.loads

    def counting(text: str) -> dict[str, object]:
        texts.append(text)
        return loads(text)

    monkeypatch.setattr(fields.tomllib, "loads", counting)
    return texts


@pytest.mark.parametrize("way", [open_embedder, la.ImageEmbedder])
@pytest.mark.parametrize("name", ["", "colour.onnx"])
def test_model_toml_is_parsed_once_when_a_photo_is_embedded(
    way: type, name: str, tmp_path: Path, parsed: list[str]
) -> None:
    model = way(write_folder(tmp_path / "model") / name, device="cpu", threads=1)
    assert model.embed(flat((3, 6, 9))).tolist() == [[3.0, 6.0, 9.0]]
    assert len(parsed) == 1


def test_a_located_model_is_still_its_name(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model")
    found = located.locate(folder)
    assert os.fspath(found) == str(folder) and located.locate(found) is found
    assert la.ImageEmbedder(found, device="cpu", threads=1).__getstate__()["model"] == str(folder)


def test_what_is_nowhere_is_located_nowhere(tmp_path: Path) -> None:
    found = located.locate(tmp_path / "gone")
    assert (found.path, found.fields, found.file) == (tmp_path / "gone", None, None)
    with pytest.raises(la.InvalidArgument, match="model is ''; it must be a shipped name"):
        located.locate("")
