"""A graph that turns text into vectors, ready to run."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidArgument, ModelError
from ..image.graph import choose_output
from ..image.tower import unit
from ..runtime.session import Device, OnnxSession, TensorInfo
from .card import TextSpec
from .tokenizer import load_tokenizer

# What CLIP reads of a text, at most.
_CONTEXT = 77
_IDS, _MASK, _TYPES = "input_ids", "attention_mask", "token_type_ids"


class TextTower:
    """Tokenizer and graph of a card; `embed` may be called from many threads at once.

    Texts are run one by one, none padded to the length of another: so a vector does not depend on its
    neighbours, also where the graph measures a batch to quantise it.
    """

    def __init__(self, spec: TextSpec, name: str, dim: int, device: Device) -> None:
        self._name, self._spec = f"{name}, text tower", spec
        self._session = OnnxSession(spec.file.read(self._name), self._name, device)
        self._roles = {self._role_of(tensor): tensor for tensor in self._session.inputs}
        if _IDS not in self._roles:
            raise ModelError(f"model {self._name}: no input is called {_IDS!r}; name it in text.input")
        self._output = self._choose_output()
        fixed = self._fixed_length()
        length = spec.length or fixed or _CONTEXT
        if fixed is not None and length > fixed:
            raise ModelError(f"model {self._name}: text.length is {length}; the graph takes {fixed} tokens")
        self._padded = fixed
        self._tokenizer = load_tokenizer(spec.tokenizer, length, self._name)
        found = self._one("a").shape[0]
        if found != dim:
            raise ModelError(f"model {self._name}: gives vectors of {found}; dim is {dim}")

    def embed(self, texts: list[str], threads: int) -> NDArray[np.float32]:
        """Turn texts into float32 (n, dim), of length 1."""
        if not texts:
            return np.empty((0, self._one("a").shape[0]), np.float32)
        if threads == 1 or len(texts) == 1:
            return unit(np.stack([self._one(text) for text in texts]))
        with ThreadPoolExecutor(min(threads, len(texts)), "lookalike-words") as pool:
            return unit(np.stack(list(pool.map(self._one, texts))))

    def _one(self, text: str) -> NDArray[np.float32]:
        ids = self._tokenizer.encode(text).ids
        mask = [1] * len(ids)
        if self._padded is not None:
            # What follows the end of a text is masked, or never looked back at.
            padding = [0] * (self._padded - len(ids))
            ids, mask = ids + padding, mask + padding
        given = {_IDS: ids, _MASK: mask, _TYPES: [0] * len(ids)}
        feeds = {tensor.name: np.array([given[role]], tensor.dtype) for role, tensor in self._roles.items()}
        result = self._session.run(feeds, self._output)
        if self._spec.pooling == "mean":
            result = result[:, : sum(mask)].mean(axis=1) if result.ndim == 3 else result
        if result.dtype.kind != "f" or result.ndim != 2 or len(result) != 1:
            raise ModelError(
                f"model {self._name}: output {self._output!r} is {result.dtype} {result.shape} for one text; "
                "it must be float (1, dim). Name another in text.output, or how to pool it in text.pooling"
            )
        vector: NDArray[np.float32] = result[0].astype(np.float32, copy=False)
        if not np.isfinite(vector).all():
            raise ModelError(f"model {self._name}: gave NaN or infinity for {text[:80]!r}")
        return vector

    def _role_of(self, tensor: TensorInfo) -> str:
        """Return the role of an input: by its name, or as the only one."""
        if tensor.dtype not in ("int64", "int32") or len(tensor.shape) != 2:
            raise ModelError(
                f"model {self._name}: takes {tensor}; it must take int64 or int32 of shape (n, tokens)"
            )
        if tensor.name == self._spec.input or (self._spec.input is None and len(self._session.inputs) == 1):
            return _IDS
        if tensor.name not in (_IDS, _MASK, _TYPES) or (self._spec.input and tensor.name == _IDS):
            wanted = f"{self._spec.input or _IDS}, {_MASK}, {_TYPES}"
            raise ModelError(f"model {self._name}: takes {tensor}; known inputs are {wanted}")
        return tensor.name

    def _choose_output(self) -> str:
        names = [tensor.name for tensor in self._session.outputs]
        if self._spec.output is not None:
            if self._spec.output not in names:
                raise ModelError(
                    f"model {self._name}: text.output is {self._spec.output!r}; the graph has {names}"
                )
            return self._spec.output
        usual, axes = ("last_hidden_state", 3) if self._spec.pooling == "mean" else ("text_embeds", 2)
        return choose_output(self._session, usual, axes, "text.output")

    def _fixed_length(self) -> int | None:
        lengths = {tensor.shape[1] for tensor in self._roles.values()} - {None}
        return min(length for length in lengths if length is not None) if lengths else None


def as_texts(texts: Any) -> list[str]:
    """Return a list of texts; one alone counts as a list of one. Raises InvalidArgument, which says which."""
    if isinstance(texts, str):
        texts = [texts]
    if isinstance(texts, (bytes, bytearray)) or not isinstance(texts, Iterable):
        raise InvalidArgument(f"texts is a {type(texts).__name__}; it must be a str, or a list of them")
    checked = []
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidArgument(f"texts[{position}] is a {type(text).__name__}; it must be a str")
        if not text.strip():
            raise InvalidArgument(f"texts[{position}] is {text!r}; it must be words")
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise InvalidArgument(f"texts[{position}] is {text[:80]!r}, which is not Unicode text")
        checked.append(text)
    return checked
