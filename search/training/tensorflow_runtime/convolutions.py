"""Gradients of convolutions whose images are smaller than the kernel: in most networks the last ones, on small images.

oneDNN has no code of its own for such a gradient with respect to the kernel and falls back on one that takes dozens
of times as long as TensorFlow's own operation; and both spend time on parts of the kernel that no pixel meets:
docs/decisions/0019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import tensorflow as tf
from tensorflow.python.framework import ops

if TYPE_CHECKING:
    from collections.abc import Callable

_INPUT = {
    "Conv2D": tf.raw_ops.Conv2DBackpropInput,
    "DepthwiseConv2dNative": tf.raw_ops.DepthwiseConv2dNativeBackpropInput,
}
_FILTER = {
    "Conv2D": tf.raw_ops.Conv2DBackpropFilter,
    "DepthwiseConv2dNative": tf.raw_ops.DepthwiseConv2dNativeBackpropFilter,
}


def derived_by_size(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, to be traced: its convolutions are derived in the way that is fast for their images.

    It is the graph that says so. A tape does not see it within the function, only around one that has been traced.
    """
    own = {kind: f"{kind}BySize" for kind in _INPUT}

    def run(*arguments: Any) -> Any:
        with tf.compat.v1.get_default_graph().gradient_override_map(own):
            return function(*arguments)

    return run


@tf.RegisterGradient("Conv2DBySize")
@tf.RegisterGradient("DepthwiseConv2dNativeBySize")
def _gradient(operation: Any, slope: Any) -> Any:
    """What TensorFlow's gradient gives, up to rounding."""
    images, kernel = operation.inputs
    if not _is_small(operation):
        return ops.gradient_registry.lookup(operation.type)(operation, slope)
    rows, columns = (_reached(size, n) for size, n in zip(kernel.shape[:2], images.shape[1:3], strict=True))
    window = kernel[rows.begin : rows.end, columns.begin : columns.end]
    strides = operation.get_attr("strides")
    to_images = _INPUT[operation.type](
        input_sizes=tf.shape(images), filter=window, out_backprop=slope, strides=strides, padding="SAME"
    )
    # With its padding in numbers, an operation is TensorFlow's own: oneDNN does not know such gradients.
    to_window = _FILTER[operation.type](
        input=images, filter_sizes=window.shape, out_backprop=slope, strides=strides,
        padding="EXPLICIT", explicit_paddings=[0, 0, *rows.padding, *columns.padding, 0, 0],
    )  # fmt: skip
    return to_images, tf.pad(to_window, [rows.around, columns.around, [0, 0], [0, 0]])


def _is_small(operation: Any) -> bool:
    """Whether its images are smaller than its kernel, both of known size, and as many pixels go out as come in.

    Not where channels are in groups: TensorFlow's own operations derive no such convolution on a CPU.
    """
    images, kernel = operation.inputs
    is_same = operation.get_attr("padding") == b"SAME" and operation.get_attr("data_format") == b"NHWC"
    is_dense = list(operation.get_attr("strides")) == list(operation.get_attr("dilations")) == [1, 1, 1, 1]
    sizes = zip(images.shape[1:3], kernel.shape[:2], strict=True)
    return bool(
        is_same and is_dense and images.dtype == tf.float32 and images.shape[3] == kernel.shape[2]
        and None not in images.shape[1:3] and any(n < size for n, size in sizes)
    )  # fmt: skip


class _Reached(NamedTuple):
    """Which rows (or columns) of a kernel ever meet a pixel; all others would multiply padding."""

    begin: int
    end: int
    padding: list[int]
    """Before and after the images, for a kernel of these rows alone."""
    around: list[int]
    """How many rows are missing before and after."""


def _reached(size: int, n: int) -> _Reached:
    """In a kernel of `size` rows, on images of `n`."""
    before = (size - 1) // 2
    begin, end = max(0, before - n + 1), min(size, before + n)
    return _Reached(begin, end, [before - begin, end - 1 - before], [begin, size - end])
