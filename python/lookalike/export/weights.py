"""Trained weights from a file, into a network that knows which of them it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError

if TYPE_CHECKING:
    import torch

RANDOM = "random"
# What training scripts wrap a state_dict in, and what parallel training puts before its names.
_WRAPPERS = ("state_dict", "model", "model_state_dict", "state_dict_ema")
_PREFIXES = ("module.", "_orig_mod.")


def load_weights(module: torch.nn.Module, path: Path, cut: Iterable[str] = ()) -> None:
    """Load a file's state_dict; tensors of the modules in `cut`, which are gone, are passed over.

    Raises ModelError where the file is no state_dict, or is one of another network.
    """
    state = read_state(path)
    own = module.state_dict()
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    gone = tuple(f"{path}." for path in cut)
    foreign = [name for name in state if name not in own and not name.startswith(gone or ("\0",))]
    unfit = [
        f"{name} of {tuple(state[name].shape)} for {tuple(own[name].shape)}"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    for what, names in (("lacks", missing), ("does not fit:", unfit), ("has besides", foreign)):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise ModelError(f"weights {path}: of another network; {what} {', '.join(names[:3])}{more}")
    module.load_state_dict({name: value for name, value in state.items() if name in own}, strict=False)


def read_state(path: Path) -> dict[str, Any]:
    """Read a state_dict from .safetensors, or from what torch.save wrote; no code in the file is run."""
    import torch

    if not path.is_file():
        raise ModelError(f"weights {path}: there is no such file")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        found = torch.load(path, map_location="cpu", weights_only=True)
    except ImportError:
        raise ImportError("weights in .safetensors need it: pip install safetensors") from None
    # A damaged file, or one that would run code, is answered with nearly every exception there is.
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"weights {path}: cannot be read as a state_dict; it must be what torch.save(model.state_dict(), "
            f"file) writes, or .safetensors: {first}"
        ) from None
    for wrapper in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
    if not isinstance(found, Mapping) or not all(isinstance(v, torch.Tensor) for v in found.values()):
        raise ModelError(
            f"weights {path}: holds a {type(found).__name__}; it must be a state_dict of tensors"
        )
    return {_bare(str(name)): value for name, value in found.items()}


def weights_missing(model: str, looked_for: str) -> ModelError:
    """Return the error of a network that has no weights on this machine."""
    return ModelError(
        f"{model}: no trained weights on this machine ({looked_for}), and nothing is downloaded; --weights "
        f"FILE gives a state_dict, --weights {RANDOM} tries the way without"
    )


def _bare(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name
