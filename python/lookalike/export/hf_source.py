"""Vision models that Hugging Face's transformers saved into a folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from .network import Network
from .pixels import Pixels
from .quiet import quiet
from .weights import RANDOM

if TYPE_CHECKING:
    import torch

# PIL's numbers, which transformers writes.
_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}


def open_saved(folder: str, weights: str | None) -> Network:
    """Open what save_pretrained wrote; vectors are its pooled output, else its class token, else a mean."""
    import transformers

    path = Path(folder)
    if not (path / "config.json").is_file():
        raise ModelError(f"hf:{folder}: has no config.json; it must be a folder that save_pretrained wrote")
    if weights not in (None, RANDOM):
        raise ModelError(f"hf:{folder}: its weights lie in the folder; --weights can be random only")
    pixels = _pixels(path)
    try:
        with quiet():
            module, missing = _open(path, weights == RANDOM)
    # transformers answers a folder it cannot use with nearly every exception there is.
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"hf:{folder}: transformers cannot open it: {first}") from error
    lost = [name for name in missing if "pooler" not in name]
    if lost:
        raise ModelError(
            f"hf:{folder}: {len(lost)} tensors of the network have no weights, such as {lost[0]}"
        )
    pooled = not any("pooler" in name for name in missing)
    token = any(re.search(r"cls_token|class_embedding", name) for name in module.state_dict())

    def vectors(whole: torch.nn.Module, images: torch.Tensor) -> Any:
        return _vectors(whole, images, pooled, token)

    source = f"Hugging Face transformers {transformers.__version__} {type(module).__name__} from {path.name}"
    name = path.resolve().name
    return Network(module, pixels, name, source, _license(path), vectors)


def _open(path: Path, random: bool) -> tuple[Any, list[str]]:
    """Return the model, and the names of its tensors that no weights were saved for."""
    import transformers

    at_home = {"local_files_only": True, "trust_remote_code": False}
    if random:
        config = transformers.AutoConfig.from_pretrained(path, **at_home)
        return transformers.AutoModel.from_config(config), []
    model, loading = transformers.AutoModel.from_pretrained(path, output_loading_info=True, **at_home)
    return model, sorted(loading["missing_keys"])


def _vectors(module: Any, images: torch.Tensor, pooled: bool, token: bool) -> Any:
    """Return one vector an image, of what a model gives."""
    # Image models and text have the way from pixels to their common space as a method.
    if hasattr(module, "get_image_features"):
        found = module.get_image_features(pixel_values=images)
        return getattr(found, "pooler_output", found)
    found = module(pixel_values=images)
    # A pooler whose weights were never saved would be random.
    if pooled and getattr(found, "pooler_output", None) is not None:
        return found.pooler_output
    last = getattr(found, "last_hidden_state", None)
    if last is None:
        raise ModelError(f"{type(module).__name__} gives neither pooler_output nor last_hidden_state")
    if last.ndim == 4:
        return last.mean((2, 3))
    return last[:, 0] if token else last.mean(1)


def _pixels(path: Path) -> Pixels:
    """Read preprocessor_config.json."""
    file = path / "preprocessor_config.json"
    try:
        how = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise ModelError(
            f"hf:{path}: has no preprocessor_config.json, which says how images are prepared; "
            "it must be a folder into which the image processor was saved, too"
        ) from None
    except ValueError as error:
        raise ModelError(f"{file} is not JSON: {error}") from None
    size, cut = how.get("size"), how.get("crop_size")
    sides = {"height": size, "width": size} if isinstance(size, int) else dict(size or {})
    cuts = {"height": cut, "width": cut} if isinstance(cut, int) else dict(cut or {})
    shorter = sides.get("shortest_edge")
    squeezed = shorter is None
    side = shorter if shorter is not None else sides.get("height")
    if not isinstance(side, int) or (squeezed and sides.get("width") != side):
        raise ModelError(f"{file}: size is {size!r}; it must be a square, or a shortest_edge")
    resized, target = float(side), side
    if how.get("crop_pct") and shorter is not None:
        # ConvNeXT's way: below 384 pixels a border is cut off, above that images are squeezed.
        resized, squeezed = (side / how["crop_pct"], False) if side < 384 else (side, True)
    elif how.get("do_center_crop") and cuts.get("height"):
        target = cuts["height"]
    if cuts and how.get("do_center_crop") and cuts.get("width") != cuts.get("height"):
        raise ModelError(f"{file}: crop_size is {cut!r}; it must be a square")
    normal = how.get("do_normalize", True)
    # What a white pixel is before it is normalised.
    scale = 255.0 * (how.get("rescale_factor", 1 / 255) if how.get("do_rescale", True) else 1.0)
    mean, std = (how.get("image_mean"), how.get("image_std")) if normal else ([0.0], [1.0])
    return Pixels.of(
        target,
        resized=resized,
        stretch=squeezed and target == side,
        filter=_FILTERS.get(how.get("resample", 2), "unknown"),
        mean=[m / scale for m in mean or [0.5]],
        std=[s / scale for s in std or [0.5]],
    )


def _license(path: Path) -> str | None:
    """Return the licence that a model card's front matter states."""
    card = path / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    front = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    found = re.search(r"^license:\s*(\S+)", front[1], re.MULTILINE) if front else None
    return found[1].strip("'\"") if found else None
