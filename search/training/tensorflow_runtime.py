"""The one module that imports `tensorflow` itself: threads, memory, graph functions, fused optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from tensorflow.python.framework import ops

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def spare_optimization() -> None:
    """Let TensorFlow run graphs as they were traced, without its passes over each of them first.

    Those take a quarter of a new network's setup and make none of its steps faster: docs/decisions/0014.
    """
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


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


def traced(function: Callable[..., Any], *inputs: Any) -> Callable[..., Any]:
    """A function of tensors as one graph function, traced at once.

    Args:
        function: called with tensors; whatever variables it uses may change later.
        inputs: one (shape, dtype) for each of its arguments, or a list of them for a list.
            None in a shape fits any size.
    """
    signature = [_spec(one) for one in inputs]
    concrete: Callable[..., Any] = tf.function(
        function, input_signature=signature, autograph=False
    ).get_concrete_function()
    return concrete


def _spec(one: Any) -> Any:
    return [tf.TensorSpec(*each) for each in one] if isinstance(one, list) else tf.TensorSpec(*one)


def with_gradients(function: Callable[..., Any], variables: Sequence[keras.Variable]) -> Callable[..., Any]:
    """A function that also derives: for `traced`, so that both passes are one graph.

    Args:
        function: of tensors; its first result is what is derived.
        variables: that it uses.

    Returns:
        A function of the same tensors to the same results and one more: the gradients with respect to
        its first argument and to each of `variables`, zeros where nothing depends on one.
    """

    def derived(inputs: Any, *others: Any) -> tuple[Any, ...]:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            first, *rest = function(inputs, *others)
        sources = [inputs, *(variable.value for variable in variables)]
        return first, *rest, tape.gradient(first, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    return derived


def differentiable(
    function: Callable[[Any], Any], inputs: Any, variables: Sequence[keras.Variable]
) -> tuple[Any, Callable[[Any], list[Any]]]:
    """What a graph function of `traced` gives, and how to derive it: once, after the fact.

    TensorFlow derives each graph function once and keeps its backward pass with it.

    Returns:
        The result, and a function of a gradient with respect to it to the gradients with respect to `variables`,
        zeros where it does not depend on one.
    """
    with tf.GradientTape() as tape:
        result = function(inputs)

    def pull_back(slope: Any) -> list[Any]:
        values = [variable.value for variable in variables]
        gradients: list[Any] = tape.gradient(
            result, values, output_gradients=slope, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return gradients

    return result, pull_back


def snapshot(variable: keras.Variable) -> Any:
    """The value of now, in memory of its own: the fused updates write into what a mere read shares with them."""
    return tf.raw_ops.DeepCopy(x=variable.value)


class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam, each variable's update as one operation instead of twelve.

    DenseNet121 has 364 variables: tracing all those operations took longer than tracing the network.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable; called while the step is traced."""
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class FusedSGD(keras.optimizers.SGD):
    """Keras' SGD with a momentum that may change, each variable's update as one operation."""

    def __init__(self, learning_rate: Any, momentum: keras.Variable, **options: Any) -> None:
        """`momentum` is read at each step; 0 makes it plain SGD."""
        super().__init__(learning_rate, momentum=0.5, **options)  # any but 0, so that there is room for moments
        self._live_momentum = momentum

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable; called while the step is traced."""
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=self.momentums[self._get_variable_index(variable)].value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=gradient,
            momentum=tf.cast(self._live_momentum.value, variable.dtype),
        )


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


def idle_memory() -> int:
    """Bytes that TensorFlow took for tensors that are gone: it keeps them for its next ones, and gives none back.

    With oneDNN its memory on the CPU is a pool that only grows. At least the difference between the most
    that was ever in use and what is now lies idle there. 0 where TensorFlow does not tell.
    """
    try:
        info = tf.config.experimental.get_memory_info("CPU:0")
    except (ValueError, tf.errors.OpError):
        return 0
    return int(info["peak"] - info["current"])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether TensorFlow raised `error` because memory, or the GPU's memory, was used up."""
    if isinstance(error, tf.errors.ResourceExhaustedError):
        return True
    return isinstance(error, tf.errors.OpError) and "out of memory" in str(error).lower()
