"""Layers and optimizers of Keras by fewer operations: each is traced, derived and run faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Callable


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer; in training, a batch of images is normalised by one operation instead of a dozen.

    DenseNet121 has 121 such layers, whose operations are most of its training step's: docs/decisions/0015.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """What Keras' layer gives, up to rounding; its averages move in the same way."""
        if not (training and self.trainable and self._is_fusible(inputs, mask)):
            return super().call(inputs, training=training, mask=mask)
        n_channels = inputs.shape[-1]
        scale = tf.convert_to_tensor(self.gamma) if self.scale else tf.ones(n_channels)
        offset = tf.convert_to_tensor(self.beta) if self.center else tf.zeros(n_channels)
        unused = tf.constant([], tf.float32)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=scale, offset=offset, mean=unused, variance=unused, epsilon=self.epsilon, is_training=True
        )
        # TensorFlow gives an estimate of the variance of all images (n - 1); Keras keeps the batch's own (n).
        n = tf.cast(tf.size(inputs, tf.int64) // n_channels, tf.float32)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance * ((n - 1) / n))
        return outputs

    def _is_fusible(self, inputs: Any, mask: Any) -> bool:
        is_plain = mask is None and not self.renorm and not self.synchronized
        is_of_images = len(inputs.shape) == 4 and self.axis in (-1, 3)
        return bool(is_plain and is_of_images and inputs.dtype == tf.float32 and self.compute_dtype == "float32")

    def _move(self, average: keras.Variable, value: Any) -> None:
        average.assign(average * self.momentum + value * (1.0 - self.momentum) if self.momentum else value)


def fuse(layer: keras.layers.BatchNormalization) -> None:
    """Make `layer` a `FusedBatchNormalization` from now on, unless it is of a class of the user's own."""
    if type(layer) is keras.layers.BatchNormalization:
        layer.__class__ = FusedBatchNormalization


class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam, each variable's update as one operation instead of twelve.

    DenseNet121 has 364 variables: tracing all those operations took longer than tracing the network.
    """

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        # Keras' own sums gradients over replicas, of which there are none, and its update of each variable
        # computes anew what all of them share.
        rate, step = tf.convert_to_tensor(learning_rate), tf.cast(self.iterations.value + 1, "float32")
        power_1, power_2 = tf.pow(self.beta_1, step), tf.pow(self.beta_2, step)
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            index, dtype = self._get_variable_index(variable), variable.dtype
            tf.raw_ops.ResourceApplyAdam(
                var=variable.value.handle,
                m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                beta1_power=tf.cast(power_1, dtype),
                beta2_power=tf.cast(power_2, dtype),
                lr=tf.cast(rate, dtype),
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
        # Keras would take a variable for a part of the optimizer's state, which begins each trial at zero.
        self._live_momentum: Callable[[], Any] = lambda: momentum.value

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        rate, momentum = tf.convert_to_tensor(learning_rate), tf.convert_to_tensor(self._live_momentum())
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.value.handle,
                accum=self.momentums[self._get_variable_index(variable)].value.handle,
                lr=tf.cast(rate, variable.dtype),
                grad=gradient,
                momentum=tf.cast(momentum, variable.dtype),
            )
