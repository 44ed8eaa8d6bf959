"""The settings of a training: every choice, its default, and its check."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, fields
from typing import Any

from .._checks import as_integer, as_number, must_be
from ..errors import InvalidArgument
from .data.augment import CHANGES, Change, check_changes
from .loop.losses import LOSSES


@dataclass(frozen=True)
class Settings:
    """All that decides what is learned, besides the images.

    Parameters
    ----------
    base
        The model whose vectors are learned from: a shipped name, a model's folder or an .onnx file; or
        "none", to learn a small network from scratch.
    fine_tune
        Let the base itself learn too. Its ONNX file must be one that `onnx_network` can rebuild in PyTorch.
    loss
        One of `losses.LOSSES`.
    dim
        Length of the vectors that are learned; as many as there are features when left out.
    epochs
        Passes over the images, at most.
    classes_per_batch, images_per_class
        A batch is P classes times K images; as many as the data allow, up to 8 and 4, when left out.
    learning_rate, weight_decay
        Of AdamW; the rate rises over the first twentieth and then falls to nothing along a cosine. When left
        out it is 0.00003 on a base, whose head begins near where it will end, and 0.001 from scratch.
    base_rate
        The rate of a base that learns too, as a share of `learning_rate`.
    augment
        How pictures may be changed: "crop", "flip", "colour". On a base that stays as it is pictures are not
        changed: its vectors are computed once.
    size
        Side of the pictures in pixels; that of the base, or 64.
    validation_classes
        Classes held out to validate: names, or a share of all; 0 for none.
    patience
        Stop after so many epochs without a better mAP@R of the validation classes.
    seed
        The same seed and the same number of threads give the same model.
    """

    base: str = "efficientnet-lite0"
    fine_tune: bool = False
    loss: str = "supcon"
    dim: int | None = None
    epochs: int = 30
    classes_per_batch: int | None = None
    images_per_class: int | None = None
    learning_rate: float | None = None
    weight_decay: float = 1e-4
    base_rate: float = 0.1
    augment: tuple[Change, ...] = CHANGES
    size: int | None = None
    validation_classes: float | tuple[str, ...] = 0.2
    patience: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            if not self._is_left_out(name):
                as_integer(getattr(self, name), name, least)
        for name in ("learning_rate", "base_rate"):
            if not self._is_left_out(name):
                as_number(getattr(self, name), name, "a number above 0", above=0, most=_LARGEST)
        as_number(
            self.weight_decay, "weight_decay", "a number of at least 0", least=0, most=sys.float_info.max
        )
        if self.loss not in LOSSES:
            raise must_be("loss", self.loss, f"one of {', '.join(LOSSES)}")
        if self.fine_tune and self.from_scratch:
            raise InvalidArgument("fine_tune needs a base; base is 'none'")
        object.__setattr__(self, "augment", check_changes(self.augment))
        if not isinstance(self.validation_classes, (int, float)):
            object.__setattr__(self, "validation_classes", tuple(self.validation_classes))

    def _is_left_out(self, name: str) -> bool:
        """Whether a field that may be left out is: None stays what it is."""
        return getattr(self, name) is None and type(self).__dataclass_fields__[name].default is None

    @property
    def from_scratch(self) -> bool:
        """Whether there is no base."""
        return self.base == "none"

    @property
    def rate(self) -> float:
        """The learning rate that holds."""
        return self.learning_rate or (1e-3 if self.from_scratch else 3e-5)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def of_json(cls, values: dict[str, Any]) -> Settings:
        """Return what `as_json` gave.

        >>> Settings.of_json(Settings(augment=("flip",)).as_json()) == Settings(augment=("flip",))
        True
        """
        known = {field.name for field in fields(cls)}
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in values.items()
            if key in known
        }
        return cls(**given)


_LARGEST = sys.float_info.max
# The integers, and what they are at least.
_LEAST = {
    "dim": 1,
    "epochs": 1,
    "classes_per_batch": 2,
    "images_per_class": 2,
    "size": 8,
    "patience": 1,
    "seed": 0,
}
