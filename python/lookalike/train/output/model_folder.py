"""The folder a training writes: what may be there before, and the model.toml at the end."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

from ..._text import printable
from ...embed.cards.fields import FILE_NAME
from ...embed.image.card import InputSpec
from ...errors import InvalidArgument, io_error
from ..loop.checkpoint import FILE_NAME as CHECKPOINT
from .export import OUTPUT

ONNX_FILE, REPORT, CURVES = "model.onnx", "training.json", "curves.png"


def check_output(folder: Path, resume: bool, overwrite: bool) -> None:
    """See that a training may write here.

    Raises
    ------
    InvalidArgument
        Where it is a file, holds something that is no training, or holds a training and neither `resume` nor
        `overwrite` says what to do; or where there is nothing to resume.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidArgument(f"output {folder} is no folder; it must be a new folder's name")
    names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    if resume:
        if CHECKPOINT not in names:
            raise InvalidArgument(f"output {folder} holds no {CHECKPOINT}: there is nothing to resume")
    elif CHECKPOINT in names or REPORT in names:
        if not overwrite:
            raise InvalidArgument(
                f"output {folder} holds a training already; give --resume to go on with it, --overwrite "
                "to start again, or another folder"
            )
    elif names:
        raise InvalidArgument(f"output {folder} holds other things; it must be a new folder, or an empty one")


def make_folder(folder: Path, resume: bool) -> None:
    """Make the folder; unless a training is resumed, remove the files of an earlier one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in () if resume else (CHECKPOINT, REPORT, CURVES, FILE_NAME, ONNX_FILE):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise io_error(error.errno or errno.EIO, f"output {folder}: {error.strerror}") from error


def write_card(folder: Path, dim: int, spec: InputSpec, licence: str, source: str) -> None:
    """Write model.toml for model.onnx, which lies beside it already."""
    how = spec.preparation
    checksum = hashlib.sha256((folder / ONNX_FILE).read_bytes()).hexdigest()
    lines = [
        f"name = {_text(folder.resolve().name)}",
        f"dim = {dim}",
        f"license = {_text(licence)}",
        f"source = {_text(source)}",
        "",
        "[files.main]",
        f"file = {_text(ONNX_FILE)}",
        f"sha256 = {_text(checksum)}",
        "",
        "[input]",
        *([f"name = {_text(spec.name)}"] if spec.name else []),
        f"dtype = {_text(spec.dtype)}",
        f"layout = {_text(spec.layout)}",
        f"size = {how.size}",
        f"fit = {_text(how.fit)}",
        f"crop = {how.crop!r}",
        f"filter = {_text(how.filter)}",
        f"mean = {list(spec.mean)}",
        f"std = {list(spec.std)}",
        "",
        "[output]",
        f"name = {_text(OUTPUT)}",
    ]
    write_atomically(folder / FILE_NAME, "\n".join(lines) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Write a text file, all of it or nothing."""
    unfinished = path.with_name(path.name + ".partial")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _text(value: str) -> str:
    """Write a TOML string; JSON's escapes are TOML's, as long as all letters stand for themselves."""
    return json.dumps(printable(os.fspath(value)), ensure_ascii=False)
