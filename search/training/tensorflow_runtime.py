"""The one module that imports `tensorflow` itself: threads, memory, and graph functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorflow.python.framework import ops

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

Forward = Callable[["NDArray[np.uint8]"], "NDArray[np.float32]"]
"""Images (n, height, width, channels) to logits (n, classes), for any n."""


def configure(threads: int) -> None:
    """Give TensorFlow `threads` cores, and no more GPU memory than it uses.

    Call it before anything is computed: TensorFlow starts its thread pools at the first operation.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.get_logger().setLevel("ERROR")
    for device in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(device, True)
    if tf.config.list_physical_devices("GPU"):
        # On a CPU the same threads give the same numbers anyway.
        tf.config.experimental.enable_op_determinism()


def version() -> str:
    """TensorFlow's version."""
    return str(tf.__version__)


def compiled_forward(model: keras.Model, *, training: bool) -> Forward:
    """The network's forward pass as one graph function, traced at once for any number of images.

    With `training`, layers behave as in a training step (batch statistics, dropout, updates of
    moving averages), but no weight is changed.
    """
    shape = (None, *model.input_shape[1:])

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.uint8)], autograph=False)
    def forward(images: Any) -> Any:
        return model(images, training=training)

    traced = forward.get_concrete_function()

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = traced(tf.convert_to_tensor(images)).numpy()
        return logits

    return run


def forget_gradients() -> None:
    """Drop the graphs that TensorFlow keeps for ever through `tf.custom_gradient`.

    Each trace of a step registers the gradient functions of its own in a table of the process:
    Keras' optimizers do so when they sum gradients over replicas, `swish` when it is derived. Each
    entry holds its graph with all weights; nothing in TensorFlow removes one. Call it when no
    model is in use any more that may be traced again.
    """
    entries = ops.gradient_registry._registry  # there is no public way to remove an entry
    for name in [name for name in entries if name.startswith("CustomGradient-")]:
        del entries[name]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether TensorFlow raised `error` because memory, or the GPU's memory, was used up."""
    if isinstance(error, tf.errors.ResourceExhaustedError):
        return True
    return isinstance(error, tf.errors.OpError) and "out of memory" in str(error).lower()
