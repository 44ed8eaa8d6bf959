"""The loop: batch, loss, step; after each epoch validation, and a checkpoint is written."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidArgument
from ..data.batches import Rows, batches, batches_per_epoch
from ..extras import Module, Tensor, functional, torch
from ..settings import Settings
from .schedule import rate_at, seed_at
from .scores import Scores, score

_AT_ONCE = 64


class Source(Protocol):
    """The images, as a network takes them."""

    def changed(self, rows: Rows, random: Any) -> Tensor:
        """Return some of them, changed by chance."""
        ...

    def plain(self, rows: Rows) -> Tensor:
        """Return some of them as they are."""
        ...

    def images(self, rows: Rows) -> list[Any]:
        """Return some of them as `ImageEmbedder` takes images, for it to give the vectors of `plain`."""
        ...


@dataclass(frozen=True)
class Part:
    """Some rows of a source, and their classes, numbered from 0."""

    rows: Rows
    labels: NDArray[np.int64]


@dataclass
class Course:
    """How far a training is, and how it went."""

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    #: An entry for each epoch, the first for what there was before any.
    curve: list[dict[str, float | None]] = field(default_factory=list)
    best: int = 0

    @property
    def best_score(self) -> float:
        """The mAP@R of the best epoch."""
        return self.curve[self.best].get("map_at_r") or 0.0

    def summary(self) -> str:
        """Say in a few words how it stands."""
        latest = self.curve[-1]
        text = f"epoch {latest['epoch']}, loss {latest['loss']:.3f}"
        if "map_at_r" in latest:
            text += f", precision@1 {latest['precision_at_1']:.3f}, mAP@R {latest['map_at_r']:.3f}"
        return f"{text} (best: epoch {self.best})"


class Training:
    """A network that learns from a source; `state` is all there is to it, but for what it was made of.

    Parameters
    ----------
    network
        Module from what `source` gives to vectors.
    loss
        Module from vectors and labels to a number.
    source, training, validation
        The images; those to train on, and those of other classes to validate with (None: no validation).
    settings
        How to learn.
    batch
        P and K: classes in a batch, images of each.
    """

    def __init__(
        self,
        network: Module,
        loss: Module,
        source: Source,
        training: Part,
        validation: Part | None,
        settings: Settings,
        batch: tuple[int, int],
    ) -> None:
        self.network, self.loss = network, loss
        self._source, self._training, self._validation = source, training, validation
        self._settings, self._batch = settings, batch
        self._steps = batches_per_epoch(training.labels, *batch)
        self._optimizer = _optimizer(network, loss, settings)
        self.course = Course()
        self.best_weights = _copy(network.state_dict())

    @property
    def done(self) -> bool:
        """Whether there is no epoch left, or no hope."""
        late = self._validation is not None and (
            self.course.epoch - self.course.best >= self._settings.patience
        )
        return self.course.epoch >= self._settings.epochs or late

    @property
    def steps_left(self) -> int:
        """How many steps remain, if it does not end early."""
        return (self._settings.epochs - self.course.epoch) * self._steps - self.course.step

    def learn_epoch(self, after_step: Callable[[], object]) -> None:
        """Train for the rest of an epoch, and validate."""
        if not self.course.curve:
            self._validate(None)
        order = batches(self._training.labels, *self._batch, self._settings.seed, self.course.epoch)
        self.network.train()
        for step, places in enumerate(order):
            if step < self.course.step:
                continue
            self.course.loss_sum += self._step(places)
            self.course.step += 1
            after_step()
        mean = self.course.loss_sum / self._steps
        self.course.epoch, self.course.step, self.course.loss_sum = self.course.epoch + 1, 0, 0.0
        self._validate(mean)

    def embed(self, rows: Rows) -> NDArray[np.float32]:
        """Return the vectors of some images, of length 1."""
        self.network.eval()
        with torch.no_grad():
            parts = [
                functional.normalize(self.network(self._source.plain(rows[first : first + _AT_ONCE])))
                for first in range(0, len(rows), _AT_ONCE)
            ]
        vectors: NDArray[np.float32] = torch.cat(parts).numpy()
        return vectors

    def state(self) -> dict[str, Any]:
        """Return all that changes while learning: tensors, numbers and text."""
        return {
            "network": self.network.state_dict(),
            "loss": self.loss.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "best": self.best_weights,
            "course": json.dumps(asdict(self.course)),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state`."""
        self.network.load_state_dict(state["network"])
        self.loss.load_state_dict(state["loss"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.best_weights = state["best"]
        self.course = Course(**json.loads(state["course"]))

    def _step(self, places: Rows) -> float:
        course, settings = self.course, self._settings
        seed = seed_at(settings.seed, course.epoch, course.step)
        torch.manual_seed(seed)
        share = rate_at((course.epoch + (course.step + 0.5) / self._steps) / settings.epochs)
        for group in self._optimizer.param_groups:
            group["lr"] = share * group["full_rate"]
        pictures = self._source.changed(self._training.rows[places], torch.Generator().manual_seed(seed))
        loss = self.loss(self.network(pictures), torch.from_numpy(self._training.labels[places]))
        value = float(loss.detach())
        if not math.isfinite(value):
            raise InvalidArgument(
                f"learning_rate is {settings.rate:g}: the loss became {value} in epoch "
                f"{course.epoch + 1}; it must be lower. The last checkpoint is kept"
            )
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return value

    def _validate(self, loss: float | None) -> None:
        entry: dict[str, float | None] = {"epoch": self.course.epoch, "loss": loss}
        scores = Scores(float("nan"), float("nan"))
        if self._validation is not None:
            scores = score(self.embed(self._validation.rows), self._validation.labels)
            entry |= asdict(scores)
        self.course.curve.append(entry)
        if (
            self._validation is None
            or len(self.course.curve) == 1
            or scores.map_at_r > self.course.best_score
        ):
            self.course.best = self.course.epoch
            self.best_weights = _copy(self.network.state_dict())


def _optimizer(network: Module, loss: Module, settings: Settings) -> Any:
    """AdamW, with rates of their own for a base that learns too, and for what a loss learns."""
    base = [p for name, p in network.named_parameters() if name.startswith("base.")]
    rest = [p for name, p in network.named_parameters() if not name.startswith("base.")]
    rate = settings.rate
    groups = [
        {"params": rest, "full_rate": rate},
        {"params": base, "full_rate": rate * settings.base_rate},
        # Vectors that stand for classes begin anywhere: they have the longest way to go.
        {"params": list(loss.parameters()), "full_rate": rate * _PROXY_RATE},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=rate, weight_decay=settings.weight_decay)


# Kim et al., "Proxy Anchor Loss for Deep Metric Learning" (2020), section 4.2.
_PROXY_RATE = 100


def _copy(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in weights.items()}
