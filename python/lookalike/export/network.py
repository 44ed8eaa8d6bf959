"""A network in PyTorch whose classifier is gone, and what is known of it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from .pixels import Pixels

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Network:
    """A module, how to call it and what to take of its answer, and where it came from."""

    module: torch.nn.Module
    pixels: Pixels
    name: str
    source: str
    license: str | None = None
    #: From float32 (n, 3, size, size), normalised, to float (n, dim) or (n, dim, 1, 1).
    vectors: Callable[[torch.nn.Module, torch.Tensor], Any] = lambda module, pixels: module(pixels)


def replace_last_layer(module: torch.nn.Module, heads: tuple[str, ...]) -> str:
    """Put an identity in place of the last linear layer or convolution of a classifier; return its path."""
    import torch

    for head in heads:
        part = getattr(module, head, None)
        if not isinstance(part, torch.nn.Module):
            continue
        kinds = (torch.nn.Linear, torch.nn.Conv2d)
        layers = [path for path, layer in part.named_modules() if isinstance(layer, kinds)]
        if layers:
            path = ".".join(filter(None, (head, layers[-1])))
            parent, _, last = path.rpartition(".")
            setattr(module.get_submodule(parent), last, torch.nn.Identity())
            return path
    raise ModelError(f"no classifier was found to cut off ({', '.join(heads)}); --output names a module")


def tap(network: Network, path: str) -> Network:
    """Return the network that gives what one of its modules gives; feature maps are averaged."""
    try:
        module = network.module.get_submodule(path)
    except AttributeError:
        names = [name for name, _ in network.module.named_modules() if name]
        raise ModelError(
            f"output is {path!r}; the network has no such module, but for example {', '.join(names[-8:])}"
        ) from None

    def vectors(whole: torch.nn.Module, pixels: torch.Tensor) -> Any:
        seen: list[Any] = []
        handle = module.register_forward_hook(lambda part, taken, given: seen.append(given))
        try:
            network.vectors(whole, pixels)
        finally:
            handle.remove()
        if len(seen) != 1:
            raise ModelError(
                f"output {path!r} was reached {len(seen)} times for an image; it must be reached once"
            )
        maps = getattr(seen[0], "ndim", 0) == 4
        return seen[0].mean((2, 3)) if maps else seen[0]

    return Network(network.module, network.pixels, network.name, network.source, network.license, vectors)


def check_vectors(network: Network) -> int:
    """Run two images, and return the length of their vectors. Raises ModelError where they have none."""
    import torch

    size = network.pixels.preparation.size
    pixels = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    try:
        with torch.no_grad():
            found = network.vectors(network.module, pixels)
    except ModelError:
        raise
    # A network may raise whatever it likes.
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"the network cannot run on images of {size} x {size} pixels (--size says the side): {first}"
        ) from error
    if not isinstance(found, torch.Tensor):
        parts = f" of {len(found)}" if isinstance(found, (tuple, list, dict)) else ""
        raise ModelError(
            f"the network gives a {type(found).__name__}{parts}; it must give one tensor, a vector an image; "
            "--output names the module whose output to take"
        )
    vectors = found.flatten(1) if found.ndim > 1 else found
    if (
        not found.is_floating_point()
        or found.ndim < 2
        or len(found) != 2
        or found.numel() != 2 * max(found.shape[1:])
    ):
        raise ModelError(
            f"the network gives {str(found.dtype).removeprefix('torch.')} {tuple(found.shape)} for two "
            "images; it must give floats (2, dim), one vector an image; --output names another module"
        )
    if not torch.isfinite(vectors).all():
        raise ModelError("the network gives NaN or infinity; are its weights complete?")
    return int(vectors.shape[1])


def unknown_network(kind: str, name: str, known: Iterable[str]) -> ModelError:
    """Return the error of a network that a library does not have, with the names that come near."""
    near = difflib.get_close_matches(name, list(known), 3)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    return ModelError(f"{kind} has no image classifier {name!r}{hint}")
