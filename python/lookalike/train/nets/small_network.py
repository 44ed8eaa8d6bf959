"""A small convolutional network to learn from scratch: for small pictures, and for machines without a GPU."""

from __future__ import annotations

from ..extras import Module, Tensor, functional, torch

_FILTERS, _SIDE, _LARGEST_MAP = 16, 5, 7
# Keeps the root's slope finite where a filter finds nothing.
_LEAST = 1e-4


def side_for(size: int) -> int:
    """Return the side of the map that features are averaged down to: where something is matters.

    >>> side_for(28), side_for(16), side_for(224)
    (7, 4, 7)
    """
    return min(size // 4, _LARGEST_MAP)


def features_for(size: int) -> int:
    """Return how many features there are: what each filter finds, and its opposite, all over the map.

    >>> features_for(28)
    1568
    """
    return 2 * _FILTERS * side_for(size) ** 2


def small_network(pixels: Tensor) -> Module:
    """Return a module from pixels, float (n, 3, size, size), 0 to 255, to `features_for(size)` features.

    One layer, and shallow on purpose: deeper ones, learned from few classes, forget what those did not need,
    and lost to plain pixels on others. Its filters begin as the leading principal components of the pictures'
    own patches (Chan et al. 2015, "PCANet: a simple deep learning baseline for image classification?",
    section II.A), each once with either sign. The root of what they find keeps a few strong edges from hiding
    the many weak ones (docs/training.md has what each of these is worth).
    """

    class Small(torch.nn.Module):  # type: ignore[misc]
        """Pixels, float (n, 3, size, size), 0 to 255, to features."""

        def __init__(self) -> None:
            super().__init__()
            self.filters = torch.nn.Conv2d(3, 2 * _FILTERS, _SIDE, padding=_SIDE // 2, bias=False)
            self.pool = torch.nn.AdaptiveAvgPool2d(side_for(pixels.shape[-1]))
            with torch.no_grad():
                found = _principal_patches(pixels / 255)
                self.filters.weight.copy_(torch.cat([found, -found]))

        def forward(self, pictures: Tensor) -> Tensor:
            strengths = self.pool(functional.relu(self.filters(pictures / 255)))
            return torch.sqrt(strengths + _LEAST).flatten(1)

    return Small()


def _principal_patches(pictures: Tensor) -> Tensor:
    """Return the directions in which patches, less their mean, differ most: (filters, 3, side, side)."""
    width = pictures.shape[1] * _SIDE**2
    scatter = torch.zeros(width, width, dtype=torch.float64)
    for some in pictures.split(100):
        patches = functional.unfold(some, _SIDE).transpose(1, 2).reshape(-1, width).double()
        patches = patches - patches.mean(dim=1, keepdim=True)
        scatter += patches.T @ patches
    _, directions = torch.linalg.eigh(scatter)
    leading = directions.flip(1)[:, :_FILTERS].T
    return leading.reshape(_FILTERS, -1, _SIDE, _SIDE).to(pictures.dtype)
