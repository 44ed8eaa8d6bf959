"""The three ways to learn: on a base that stays as it is, along with a base, or from nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..embed.image.card import InputSpec, ModelCard
from ..embed.image.embedder import ImageEmbedder
from ..embed.image.preparation import Preparation
from ..errors import InvalidArgument
from .data.batches import Rows
from .data.examples import Examples
from .data.features import Features, read_features
from .data.pictures import read_pictures, side_for
from .extras import Module, Tensor, functional, torch
from .loop.training import Part, Source
from .nets.head import make_head
from .nets.onnx_network import torch_network
from .nets.small_network import features_for, small_network
from .output.export import append_head, export_network
from .settings import Settings

# Side of the pictures, where there is no base to ask; and how many go through a network at a time.
_SMALL, _AT_ONCE = 64, 256
# Pictures that a network from scratch looks at before it learns.
_LOOKED_AT = 2000


class Recipe(Protocol):
    """How a kind of training reads images, makes its network, and writes what became of it."""

    #: The base's card, None where there is no base.
    base: ModelCard | None
    #: Length of the vectors that are learned.
    dim: int

    def read(self, examples: Examples, progress: bool) -> tuple[Source, Examples]:
        """Return the images as a source, and those examples that could be read."""
        ...

    def network(self, part: Part) -> Module:
        """Return the network to begin with; `part` is what it will learn from."""
        ...

    def baseline(self, rows: Rows) -> NDArray[np.float32]:
        """Return vectors (n, d) of some images as there would be without learning."""
        ...

    def export(self, network: Module, file: Path) -> InputSpec:
        """Write an ONNX file that takes images as they come and gives vectors of length 1."""
        ...


def choose(settings: Settings, threads: int | None) -> Recipe:
    """Return the way to learn that settings ask for."""
    if settings.from_scratch:
        return FromScratch(settings, threads)
    return FineTuning(settings, threads) if settings.fine_tune else Frozen(settings, threads)


class Frozen:
    """The base stays as it is: its vectors are computed once, and a head learns from them."""

    def __init__(self, settings: Settings, threads: int | None) -> None:
        self._settings = settings
        self._model = ImageEmbedder(settings.base, device="cpu", threads=threads)
        self._card = self._model.card
        self.base: ModelCard | None = self._card
        self.dim = _dim_on(self._model, settings)
        if settings.size not in (None, self._card.input.preparation.size):
            raise InvalidArgument(
                f"size is {settings.size}, but {settings.base} takes {self._card.input.preparation.size}; "
                "it must be that, unless fine_tune is set or base is 'none'"
            )

    def read(self, examples: Examples, progress: bool) -> tuple[Source, Examples]:
        """Embed the images with the base."""
        self._features, kept = read_features(examples, self._model, progress)
        return self._features, kept

    def network(self, part: Part) -> Module:
        """Return the head."""
        return _head(self._features, part, self.dim)

    def baseline(self, rows: Rows) -> NDArray[np.float32]:
        """Return the base's vectors."""
        return self._features.vectors[rows]

    def export(self, network: Module, file: Path) -> InputSpec:
        """Append the head to the base's own graph."""
        weight, bias = (value.detach().numpy() for value in (network.weight, network.bias))
        file.write_bytes(append_head(self._card, weight, bias))
        return self._card.input


class FineTuning:
    """The base learns too, with a head on top, from pictures that change each time."""

    def __init__(self, settings: Settings, threads: int | None) -> None:
        self._settings, self._threads = settings, threads
        self._model = ImageEmbedder(settings.base, device="cpu", threads=threads)
        self._card = self._model.card
        self.base: ModelCard | None = self._card
        self.dim = _dim_on(self._model, settings)
        self._size = settings.size or self._card.input.preparation.size

    def read(self, examples: Examples, progress: bool) -> tuple[Source, Examples]:
        """Decode the images, and embed them with the base, for the head to begin with."""
        side, changes = side_for(self._size), self._settings.augment
        pictures, kept = read_pictures(examples, self._size, side, changes, self._threads, progress)
        squares = replace(kept, images=pictures.images(np.arange(len(kept))))
        self._features, _ = read_features(squares, self._model, progress)
        return pictures, kept

    def network(self, part: Part) -> Module:
        """Return the base, rebuilt, and a head on it."""
        card = self._card

        class Tuned(torch.nn.Module):  # type: ignore[misc]
            """Pixels, float (n, 3, size, size), 0 to 255, to vectors."""

            def __init__(self) -> None:
                super().__init__()
                self.base = torch_network(card.read(), card.name, card.output)
                self.head = head

            def forward(self, pixels: Tensor) -> Tensor:
                vectors = self.base(_as_input(pixels, card.input)).flatten(1)
                return self.head(functional.normalize(vectors) if card.normalize else vectors)

        head = _head(self._features, part, self.dim)
        return Tuned()

    def baseline(self, rows: Rows) -> NDArray[np.float32]:
        """Return the base's vectors."""
        return self._features.vectors[rows]

    def export(self, network: Module, file: Path) -> InputSpec:
        """Write the whole network."""
        return _export_pictures(network, self._size, side_for(self._size), file)


class FromScratch:
    """A small network that knows nothing yet."""

    def __init__(self, settings: Settings, threads: int | None) -> None:
        self._settings, self._threads = settings, threads
        self._size = settings.size or _SMALL
        # A picture that is never cropped is seen whole.
        self._side = side_for(self._size) if "crop" in settings.augment else self._size
        self.base: ModelCard | None = None
        most = features_for(self._size)
        if (settings.dim or 1) > most:
            raise InvalidArgument(f"dim is {settings.dim}; it must be at most {most} for size {self._size}")
        self.dim = settings.dim or most

    def read(self, examples: Examples, progress: bool) -> tuple[Source, Examples]:
        """Decode the images."""
        changes = self._settings.augment
        self._pictures, kept = read_pictures(
            examples, self._size, self._side, changes, self._threads, progress
        )
        return self._pictures, kept

    def network(self, part: Part) -> Module:
        """Return the network, which begins with what its pictures are made of, and a head that suits it."""
        # Evenly over the rows, which stand by class.
        network = small_network(self._pictures.plain(part.rows[:: -(-len(part.rows) // _LOOKED_AT)]))
        with torch.no_grad():
            batches = np.array_split(part.rows, -(-len(part.rows) // _AT_ONCE))
            features = torch.cat([network(self._pictures.plain(rows)) for rows in batches])
        return torch.nn.Sequential(network, make_head(features.numpy(), part.labels, self.dim))

    def baseline(self, rows: Rows) -> NDArray[np.float32]:
        """Return the pixels."""
        pixels: NDArray[np.float32] = self._pictures.plain(rows).flatten(1).numpy()
        return pixels

    def export(self, network: Module, file: Path) -> InputSpec:
        """Write the whole network."""
        return _export_pictures(network, self._size, self._side, file)


def _dim_on(base: ImageEmbedder, settings: Settings) -> int:
    if (settings.dim or 1) > base.dim:
        raise InvalidArgument(
            f"dim is {settings.dim}, but {settings.base} gives vectors of {base.dim}; it must be at most that"
        )
    return settings.dim or base.dim


def _head(features: Features, part: Part, dim: int) -> Module:
    return make_head(features.vectors[part.rows], part.labels, dim)


def _as_input(pixels: Tensor, spec: InputSpec) -> Tensor:
    """Turn pixels (n, 3, size, size) into what a base's graph takes."""
    if spec.dtype != "uint8":
        mean, std = (torch.tensor(values)[:, None, None] for values in (spec.mean, spec.std))
        pixels = (pixels - mean) / std
    return pixels.permute(0, 2, 3, 1) if spec.layout == "NHWC" else pixels


def _export_pictures(network: Module, size: int, side: int, file: Path) -> InputSpec:
    file.write_bytes(export_network(network, size))
    return InputSpec(Preparation(size, crop=size / side, filter="box"), name="images")
