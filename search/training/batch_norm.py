"""Honest BatchNorm: averages that belong to the weights of now, not of some hundred steps ago.

Keras keeps moving averages with momentum 0.99. In an epoch of a few dozen steps they lag so far
behind the weights that validation is at chance while the network has learned. Before each
validation they are computed anew from training images, as Wu and Johnson describe ("Rethinking
'Batch' in BatchNorm", 2021, section 3): the mean over batches, and the variance of all images
together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from search.training.models import batch_norm_layers

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

N_IMAGES = 1024
"""Training images that the averages are computed from at most, where there are so many."""
_BATCH_SIZE = 128
_N_LEAST = 256
_SHARE = 0.125


def sample_size(trained: int) -> int:
    """Images for the averages of a judgement on `trained` images of training since the one before.

    An image forward costs about a third of one trained on, so that an eighth of them costs 4 % of
    the training that is judged; the least is what a score needs to be true, whatever that costs.
    """
    return min(N_IMAGES, max(_N_LEAST, round(_SHARE * trained)))


class HonestAverages:
    """Recomputes the averages of every BatchNorm layer of a model, from a fixed sample of images."""

    def __init__(
        self,
        model: keras.Model,
        forward: Callable[[NDArray[np.uint8]], object],
        images: NDArray[np.uint8],
        indices: NDArray[np.int64],
        *,
        seed: int,
    ) -> None:
        """Draw the sample from `images[indices]`, which are training images; `seed` decides which.

        `forward` is a pass of `model` in training mode that leaves the moments of its own batch in
        the moving averages, as one with a momentum of 0 does.
        """
        # Frozen layers keep their averages.
        self._layers = [layer for layer in batch_norm_layers(model) if layer.trainable]
        self._images = images
        self._batches = _sample(indices, seed)
        if self._layers:
            self._bystanders = _bystanders(model, self._layers)
            self._forward = forward

    def recompute(self, n_images: int = N_IMAGES, after_batch: Callable[[], bool] = lambda: True) -> None:
        """Replace the averages by true ones; no other state of the model changes.

        Without BatchNorm in the model it does nothing.

        Args:
            n_images: about so many are used, in whole batches of 128.
            after_batch: called after each batch; when it returns False the rest is left out and the averages
                stay as they were before.
        """
        if not self._layers:
            return
        before = [variable.numpy() for variable in self._bystanders]
        kept = [_moments(layer) for layer in self._layers]
        means, squares = [], []
        batches = self._batches[: max(1, n_images // _BATCH_SIZE)]
        for batch in batches:
            self._forward(self._images[batch])
            moments = [_moments(layer) for layer in self._layers]
            means.append([mean for mean, _ in moments])
            squares.append([variance + mean**2 for mean, variance in moments])
            if not after_batch():
                break
        complete = len(means) == len(batches)
        for layer, old, mean, square in zip(self._layers, kept, _average(means), _average(squares), strict=True):
            new = (mean, np.maximum(square - mean**2, 0.0)) if complete else old
            layer.moving_mean.assign(new[0])
            layer.moving_variance.assign(new[1])
        for variable, value in zip(self._bystanders, before, strict=True):
            variable.assign(value)


def _bystanders(model: keras.Model, layers: list[keras.layers.BatchNormalization]) -> list[keras.Variable]:
    """State that a forward pass in training mode changes besides the averages: seeds of dropout, and what layers of a
    user's own network keep.
    """
    averages = {id(variable) for layer in layers for variable in (layer.moving_mean, layer.moving_variance)}
    return [variable for variable in model.non_trainable_variables if id(variable) not in averages]


def _sample(indices: NDArray[np.int64], seed: int) -> list[NDArray[np.int64]]:
    n = min(N_IMAGES, len(indices))
    chosen = np.random.default_rng(seed).choice(indices, n, replace=False)
    n_batches = max(1, n // _BATCH_SIZE)
    # Equal batches weigh the same; a remainder of a few images would be a poor sample by itself.
    size = n // n_batches
    return [chosen[start * size : (start + 1) * size] for start in range(n_batches)]


def _moments(
    layer: keras.layers.BatchNormalization,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = layer.moving_mean.numpy().astype(np.float64)
    variance = layer.moving_variance.numpy().astype(np.float64)
    return mean, variance


def _average(batches: list[list[NDArray[np.float64]]]) -> list[NDArray[np.float64]]:
    return [np.mean(values, axis=0) for values in zip(*batches, strict=True)]
