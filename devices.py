"""Processors and GPUs for TensorFlow: how many threads, how much memory, how many GPUs, what precision.

To be called before TensorFlow does its first computation; CUDA_VISIBLE_DEVICES is read even before that.
"""

import os

import keras
import tensorflow as tf


def set_threads():
    """One operation at a time, each on all cores.

    By default TensorFlow also runs as many operations at once as there are cores. Where the machine does
    nothing else, that is neither quicker nor slower here (105 ms a step, median, either way); it leaves fewer
    threads to get into each other's way.
    """
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(os.cpu_count() or 1)


def set_gpu_memory(limit_mb=None):
    """Take GPU memory as it is needed, or at most `limit_mb` megabytes of each GPU. Returns the visible GPUs."""
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        if limit_mb:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=limit_mb)
            tf.config.set_logical_device_configuration(gpu, [limit])
        else:
            tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.set_soft_device_placement(True)  # what a GPU can't do, the processor does
    return gpus


def set_precision(gpus):
    """Half precision (mixed_float16) where every GPU has tensor cores, from compute capability 7.0 on."""
    capabilities = [tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)) for gpu in gpus]
    if capabilities and min(capabilities) >= (7, 0):
        keras.mixed_precision.set_global_policy("mixed_float16")
    return keras.mixed_precision.global_policy().name


def choose_strategy(gpus):
    """Where variables live and batches go: one device, or a copy of the net on each of several GPUs."""
    if len(gpus) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()
