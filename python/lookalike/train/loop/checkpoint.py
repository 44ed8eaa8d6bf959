"""The state of a training in a file, from which it is resumed exactly."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

from ...errors import CorruptFile, io_error
from ..extras import torch

FILE_NAME = "checkpoint.pt"
_FORMAT = 1


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write folder/checkpoint.pt: all of it or, whatever happens, none of it.

    Raises
    ------
    IoError
        Where it cannot be written.
    """
    path = folder / FILE_NAME
    unfinished = path.with_suffix(".partial")
    try:
        with unfinished.open("wb") as file:
            torch.save({"format": _FORMAT, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except (OSError, RuntimeError) as error:
        # torch turns a full disk into a RuntimeError.
        unfinished.unlink(missing_ok=True)
        code = getattr(error, "errno", None) or 5
        raise io_error(code, f"{path}: cannot be written: {error}") from error


def load_checkpoint(folder: Path) -> dict[str, Any]:
    """Read folder/checkpoint.pt: numbers, text and tensors; no code in it would run.

    Raises
    ------
    CorruptFile
        Where it is damaged, or was written by a version that knew another format.
    """
    path = folder / FILE_NAME
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise io_error(error.errno or 5, f"{path}: cannot be read: {error.strerror}") from error
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        raise CorruptFile(f"{path}: is damaged; start a new training") from error
    if not isinstance(state, dict) or state.get("format") != _FORMAT:
        raise CorruptFile(f"{path}: is no checkpoint of this version (format {_FORMAT})")
    return state
