"""The losses one can learn by, from pytorch-metric-learning, under the names their papers gave them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..._checks import must_be
from ..extras import Module, Tensor, losses, miners, torch

# Makes the loss and its miner, which selects pairs (None: all pairs), for so many classes and dimensions.
_Maker: TypeAlias = Callable[[int, int], tuple[Module, "Module | None"]]

# A loss is a line here. Those with a vector for each class get how many there are.
_MAKERS: dict[str, _Maker] = {
    "multi-similarity": lambda classes, dim: (losses.MultiSimilarityLoss(), miners.MultiSimilarityMiner()),
    "triplet": lambda classes, dim: (
        losses.TripletMarginLoss(margin=0.1),
        miners.TripletMarginMiner(margin=0.1, type_of_triplets="semihard"),
    ),
    "contrastive": lambda classes, dim: (losses.ContrastiveLoss(pos_margin=0.1, neg_margin=0.9), None),
    "supcon": lambda classes, dim: (losses.SupConLoss(temperature=0.1), None),
    "circle": lambda classes, dim: (losses.CircleLoss(m=0.4, gamma=80), None),
    "proxy-anchor": lambda classes, dim: (losses.ProxyAnchorLoss(classes, dim), None),
    "proxy-nca": lambda classes, dim: (losses.ProxyNCALoss(classes, dim, softmax_scale=8), None),
    "normalized-softmax": lambda classes, dim: (losses.NormalizedSoftmaxLoss(classes, dim), None),
    "arcface": lambda classes, dim: (losses.ArcFaceLoss(classes, dim, margin=28.6, scale=32), None),
}
LOSSES = tuple(_MAKERS)


def make_loss(name: str, classes: int, dim: int) -> Module:
    """Return a module from vectors (n, dim) and labels (n,) to one number, the smaller the better.

    Raises
    ------
    InvalidArgument
        Where there is no loss of that name.
    """
    if name not in _MAKERS:
        raise must_be("loss", name, f"one of {', '.join(LOSSES)}")
    loss, miner = _MAKERS[name](classes, dim)

    class Loss(torch.nn.Module):  # type: ignore[misc]
        """A loss together with its miner; whatever it learns itself are its parameters."""

        def __init__(self) -> None:
            super().__init__()
            self.loss = loss

        def forward(self, vectors: Tensor, labels: Tensor) -> Tensor:
            return self.loss(vectors, labels, miner(vectors, labels) if miner else None)

    return Loss()
