"""Graph functions: what runs in TensorFlow without Python in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import ops

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras
    from numpy.typing import NDArray

Forward = Callable[["NDArray[np.uint8]"], "NDArray[np.float32]"]
"""Images (n, height, width, channels) to logits (n, classes), for any n."""


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
        function: called with tensors; whatever variables it uses may change later. No tape sees through a call of
            the result, unless it is made while something else is traced.
        inputs: one (shape, dtype) for each of its arguments, or a list of them for a list.
            None in a shape fits any size.
    """
    signature = [_spec(one) for one in inputs]
    concrete = tf.function(function, input_signature=signature, autograph=False).get_concrete_function()
    captured = concrete.captured_inputs

    def run(*arguments: Any) -> Any:
        if not tf.executing_eagerly():  # a part of what is being traced now
            return concrete(*arguments)
        # Calling it would compare each argument with the signature in Python: as long as a hundredth of a step
        # of DenseNet121 takes, for its 364 gradients, and more than that of LeNet-5's.
        given = [one if isinstance(one, tf.Tensor) else tf.convert_to_tensor(one) for one in tf.nest.flatten(arguments)]
        return concrete.inference_fn.call_preflattened([*given, *captured])

    return run


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


def both_passes(
    forward: Callable[[Any], Any],
    variables: Sequence[keras.Variable],
    inputs: Any,
    labels: Any,
    between: Callable[[NDArray[Any], NDArray[Any]], NDArray[np.float32]],
) -> Callable[[Any, Any], list[Any]]:
    """Forward and backward pass of a graph function as one graph, with Python between the two.

    As two graphs, each value that the backward pass needs would have to leave the first and enter the second, and
    all of them would stay in memory to the end: docs/decisions/0014.

    Args:
        forward: a graph function of `traced`, of one tensor to one.
        variables: that it uses.
        inputs: (shape, dtype) of its argument.
        labels: (shape, dtype) of what goes with it.
        between: called in each run with what `forward` gave, and with the labels; gives the gradient with
            respect to the former, of the same shape. It may call other graph functions.

    Returns:
        A function of inputs and labels to the gradients with respect to `variables`, zeros where nothing depends on
        one. It raises what `between` raises.
    """
    raised: list[BaseException] = []

    def guarded(result: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float32]:
        try:
            return between(result, labels)
        except BaseException as error:  # noqa: BLE001 - TensorFlow would only pass on its text
            raised.append(error)
            return np.zeros_like(result)

    def passes(inputs: Any, labels: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            result = forward(inputs)
        slope = tf.ensure_shape(tf.numpy_function(guarded, [result, labels], result.dtype), result.shape)
        values = [variable.value for variable in variables]
        found: list[Any] = tape.gradient(
            result, values, output_gradients=slope, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return found

    concrete = traced(passes, inputs, labels)

    def run(inputs: Any, labels: Any) -> list[Any]:
        gradients: list[Any] = concrete(inputs, labels)
        if raised:
            raise raised.pop()
        return gradients

    return run


def unoptimized(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same graph function, run as it was traced.

    Before its first run TensorFlow optimizes a graph, which takes longer than several runs of it: what runs a few
    times an epoch hardly earns that back, and in an update there is nothing to find (docs/decisions/0016).
    """
    eager = context.context()
    config = tf.compat.v1.ConfigProto.FromString(eager.function_call_options.config_proto_serialized)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    as_traced = context.FunctionCallOptions(config_proto=config)

    def run(*arguments: Any) -> Any:
        # Of this thread alone: `tf.config.optimizer` would change them for all.
        usual = eager.function_call_options
        eager.function_call_options = as_traced
        try:
            return function(*arguments)
        finally:
            eager.function_call_options = usual

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
