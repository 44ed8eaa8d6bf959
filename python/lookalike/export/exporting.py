"""The way from a network to a folder: open, write, compare with PyTorch, make smaller, compare again."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..errors import InvalidArgument
from .files import CHECKED, Exported, Wish, write_files
from .network import Network, check_vectors, tap
from .pictures import Pictures, made_up_pictures, read_pictures
from .pixels import Pixels
from .sources import open_source

_COMPARED, _MADE_UP = 1000, 8


def export_model(
    source: str,
    folder: str | os.PathLike[str],
    *,
    weights: str | None = None,
    photos: str | os.PathLike[str] | None = None,
    int8: bool = False,
    f16: bool = False,
    default: str | None = None,
    name: str | None = None,
    license: str | None = None,
    output: str | None = None,
    size: int | None = None,
    fit: str | None = None,
    crop: float | None = None,
    filter: str | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Exported:
    """Turn a network in PyTorch into a model folder that `ImageEmbedder` runs at once.

    The classifier is cut off, normalisation is folded into the graph, and the vectors of the ONNX file are
    compared with PyTorch's: they agree within 1e-4 of the largest element, or nothing is written.

    Parameters
    ----------
    source
        ``torchvision:NAME``, ``timm:NAME``, ``hf:FOLDER`` (from save_pretrained), or a function that returns
        a torch.nn.Module: ``python:MODULE:FUNCTION``, ``FILE.py:FUNCTION``. Nothing is ever downloaded.
    folder
        Where the model goes; it must be empty or not there yet.
    weights
        A file with a state_dict, or "random"; left out, what is on this machine already.
    photos
        A folder of photos to check with, and to calibrate int8 by; with a folder for each class, precision@1
        is measured. Without, the check runs on made-up pictures.
    int8, f16
        Whether to write a static int8 file, for CPUs, and a float16 file, for GPUs.
    default
        The file that runs: "f32", "int8" or "f16"; left out, int8 where there is one and its vectors are near
        those of f32, by a mean cosine of 0.95 or more.
    name, license
        What the model is called and whose it is; else what the source says.
    output
        The module whose output are the vectors, where the network's own are not.
    size, fit, crop, filter, mean, std
        How images are prepared, in place of what the source says; mean and std are for pixels from 0 to 1.

    Raises
    ------
    ModelError
        There is no such network, no weights, not one vector an image, or the file differs from PyTorch.
    InvalidArgument
        An argument cannot work; the message names it.

    Examples
    --------
    >>> from lookalike.export import export_model
    >>> export_model("timm:mobilenetv3_small_100", "model", int8=True)
    Traceback (most recent call last):
    lookalike.errors.InvalidArgument: int8 needs photos: a folder of pictures like those to be searched...
    """
    wish = Wish(int8, f16, default, license)
    target = _new_folder(folder)
    _check(wish, photos)
    network = _open(source, weights, output)
    pixels = network.pixels.changed(size, fit, crop, filter, mean, std)
    network = dataclasses.replace(network, pixels=pixels, name=name or network.name)
    check_vectors(network)
    pictures = _pictures(photos, pixels, _COMPARED if int8 or f16 else CHECKED)
    target.parent.mkdir(parents=True, exist_ok=True)
    # What fails half-way leaves no folder that looks like a model.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".lookalike-export-") as half:
        work = Path(half) / "model"
        work.mkdir()
        found = write_files(network, work, pictures, wish)
        if target.exists():
            target.rmdir()
        work.rename(target)
    return dataclasses.replace(found, folder=target)


def _open(source: str, weights: str | None, output: str | None) -> Network:
    network = open_source(source, weights)
    network.module.eval()
    return network if output is None else tap(network, output)


def _pictures(photos: str | os.PathLike[str] | None, pixels: Pixels, most: int) -> Pictures:
    """Read the user's photos, or make pictures up where there are none."""
    if photos is None:
        return made_up_pictures(pixels.preparation, _MADE_UP)
    return read_pictures(Path(photos), pixels.preparation, most)


def _new_folder(folder: str | os.PathLike[str]) -> Path:
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidArgument(f"output folder {target} is there already and not empty; it must be a new one")
    return target


def _check(wish: Wish, photos: str | os.PathLike[str] | None) -> None:
    """Refuse what can only fail, before any work is done."""
    if wish.int8 and photos is None:
        raise InvalidArgument(
            "int8 needs photos: a folder of pictures like those to be searched (--photos DIR)"
        )
    if wish.default not in (None, *wish.names):
        raise InvalidArgument(
            f"default is {wish.default!r}; it must be one of the files that are written, {wish.names}"
        )
