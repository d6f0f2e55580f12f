"""TensorFlow's threads and memory in this process."""

from __future__ import annotations

import tensorflow as tf


def configure(threads: int) -> None:
    """Give TensorFlow `threads` cores, and no more GPU memory than it uses.

    Call it before anything is computed: TensorFlow starts its thread pools at the first operation.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    # One more than cores, because one waits wherever a graph calls Python that runs another graph (`both_passes`).
    tf.config.threading.set_inter_op_parallelism_threads(threads + 1)
    tf.get_logger().setLevel("ERROR")
    for device in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(device, True)
    if tf.config.list_physical_devices("GPU"):
        # On a CPU the same threads give the same numbers anyway.
        tf.config.experimental.enable_op_determinism()


def version() -> str:
    """TensorFlow's version."""
    return str(tf.__version__)


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
