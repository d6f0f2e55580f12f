"""Which structures a trainer keeps: the ones used last, as far as memory goes."""

from __future__ import annotations

import random
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import keras

from search.training.models import build_backbone
from search.training.models.builders import is_builder
from search.training.models.head import add_head, check_head
from search.training.process import release_memory, resident_memory
from search.training.structures.dropout import LiveDropout
from search.training.structures.network import TrialNetwork
from search.training.structures.optimizers import Settings
from search.training.structures.parts import Backbone, Head, Part
from search.training.tensorflow_runtime import forget_gradients, idle_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from search.training.hyperparameters import Hyperparameters

_PartT = TypeVar("_PartT", bound=Part)

N_HEADS = 4
"""Heads that are kept: soon traced again, and with thousands of units large."""


class Structures:
    """Builds the network of a trial from parts that earlier trials have left, where they fit.

    A part is known by what decides its graph: no learning rate, no dropout rate, no batch size.
    """

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._settings = Settings()
        self._backbones: OrderedDict[Hashable, Backbone] = OrderedDict()
        self._heads: OrderedDict[Hashable, Head] = OrderedDict()

    def network(
        self, hp: Hyperparameters, image_shape: tuple[int, int, int], classes: int, builders: str | None
    ) -> TrialNetwork:
        """The network that `hp` describes, in no particular state; call its `begin`.

        Raises:
            ModelError: as `models.build_model`.
        """
        check_head(hp)
        backbone = self._backbone(hp, image_shape, builders)
        features = tuple(backbone.model.output_shape[1:])
        key = (features, hp.head_pool, hp.head_layers, hp.head_width, hp.dropout_at, classes)
        head = _kept(self._heads, key, lambda: Head(self._new_head(features, hp, classes), self._settings))
        return TrialNetwork(backbone, head, self._settings)

    def shrink(self, memory: int) -> None:
        """Forget parts, least recently used first and heads before backbones, down to `memory` bytes in use.

        Call it when each part that is kept has been trained: what TensorFlow needs to derive a
        graph function for the first time is dropped here.
        """
        while len(self._heads) > N_HEADS:
            self._heads.popitem(last=False)
        forget_gradients()
        release_memory()
        while (self._heads or self._backbones) and _occupied() > memory:
            (self._heads or self._backbones).popitem(last=False)
            release_memory()

    def forget(self) -> None:
        """Keep nothing any more."""
        self._heads.clear()
        self._backbones.clear()
        forget_models()

    def _backbone(self, hp: Hyperparameters, image_shape: tuple[int, int, int], builders: str | None) -> Backbone:
        honest = hp.batch_norm == "honest"

        def build() -> Backbone:
            _settle_seeds()
            return Backbone(*build_backbone(hp, image_shape, builders), honest=honest)

        if is_builder(hp.architecture):
            return build()  # its file may have changed, and it may look at any parameter
        depth = (hp.blocks, hp.stages, hp.blocks_per_stage)
        return _kept(self._backbones, (hp.architecture, depth, hp.image_size, image_shape, honest), build)

    def _new_head(self, features: tuple[int, ...], hp: Hyperparameters, classes: int) -> keras.Model:
        _settle_seeds()
        inputs = keras.Input(features, name="features")
        logits = add_head(inputs, hp, classes, partial(LiveDropout, self._settings))
        return keras.Model(inputs, logits, name="head")


def _kept(shelf: OrderedDict[Hashable, _PartT], key: Hashable, build: Callable[[], _PartT]) -> _PartT:
    if key not in shelf:
        shelf[key] = build()
    shelf.move_to_end(key)
    return shelf[key]


def forget_models() -> None:
    """Drop what Keras and TensorFlow keep of models that nobody uses: graphs, and the counts that name layers.

    Models in use stay right, but each of their functions is set up again when it is next called.
    """
    keras.backend.clear_session(free_memory=False)
    forget_gradients()
    release_memory()


def _occupied() -> int:
    """Bytes of the process that are in use. What a large batch took for a while stays the process's, and
    no part that is forgotten would bring it back.
    """
    return resident_memory() - idle_memory()


def _settle_seeds() -> None:
    """Make what Keras draws while a model is built the same in every process.

    Not with `keras.utils.set_random_seed`: it makes TensorFlow forget every function that it has
    set up, and each kept network would take as long again as at its first step.
    """
    random.seed(0)
