"""`keras:NAME`: the image data sets that Keras itself downloads, the only data that need Keras."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from search.training.data.errors import DataError
from search.training.data.parts import Parts, checked_parts

_CIFAR100 = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can "
    "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin "
    "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard "
    "lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear "
    "pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark "
    "shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone "
    "television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)

CLASSES: Mapping[str, tuple[str, ...]] = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": (
        "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    "cifar10": (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ),
    "cifar100": tuple(_CIFAR100.split()),
}  # fmt: skip
"""The names after `keras:`, and the classes of each in label order."""


def read_keras(name: str) -> Parts:
    """A data set of `keras.datasets`, downloaded by Keras to its own folder (`$KERAS_HOME`) the first time.

    Raises:
        DataError: if there is none of that name, or it is neither on this machine nor to be had.
    """
    if name not in CLASSES:
        raise DataError(
            f"keras: takes one of {', '.join(CLASSES)}, but got {name!r}; other images come in as npz: or folder:"
        )
    module = importlib.import_module(f"keras.datasets.{name}")
    try:
        train, test = module.load_data()
    except Exception as error:  # Keras raises just that when a download fails
        raise DataError(
            f"keras:{name} could not be loaded ({error}). Load it once where there is a network, and copy "
            "~/.keras/datasets here. Without a download: `--data mnist-5k`"
        ) from error
    return checked_parts(f"keras:{name}", train=train, test=test, classes=CLASSES[name])
