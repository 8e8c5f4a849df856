"""Processors and GPUs for TensorFlow: how many threads, how much memory, how many GPUs, what precision.

To be called before TensorFlow does its first computation; CUDA_VISIBLE_DEVICES is read even before that.
"""

import json
import os
from pathlib import Path

import keras
import tensorflow as tf
from keras.layers import BatchNormalization

from shuzi.core.files import Problem


def set_threads():
    """One operation at a time, each on all cores.

    By default TensorFlow also runs as many operations at once as there are cores. On two cores that made steps
    neither quicker nor slower; it leaves fewer threads to get into each other's way.
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
    """Multiply in 16 bits and add in 32 where the hardware is quicker at it. Returns the policy's name.

    mixed_float16 where every GPU has tensor cores, from compute capability 7.0 on; mixed_bfloat16 on processors with
    AMX, and on AMD's with AVX512_BF16, where training took about a fifth less time. On an Intel processor with AVX512_BF16
    and no AMX it took 1.5 times as long, and elsewhere, too, 16 bits are slower than 32.
    """
    capabilities = [tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)) for gpu in gpus]
    if capabilities and min(capabilities) >= (7, 0):
        keras.mixed_precision.set_global_policy("mixed_float16")
    elif not gpus and has_quick_bfloat16():
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    return keras.mixed_precision.global_policy().name


def has_quick_bfloat16(path="/proc/cpuinfo"):
    """Does the processor multiply bfloat16 quicker than float32? Only Linux tells; elsewhere the answer is no."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return False
    words = {
        word for line in lines if line.startswith(("flags", "vendor_id")) for word in line.partition(":")[2].split()
    }
    return "amx_bf16" in words or {"avx512_bf16", "AuthenticAMD"} <= words


def join_cluster():
    """Train as one with the other machines that TF_CONFIG names, if it does. Returns this one's number and how many there are.

    Each takes its part of each batch, and gradients are summed over all. It is `keras.distribution` that does this, which
    for several machines needs Keras's JAX backend: TensorFlow's MultiWorkerMirroredStrategy does not work with
    Keras 3 (https://github.com/keras-team/keras/issues/20585). Raises Problem.
    """
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        workers = config.get("cluster", {}).get("worker", [])
        number = config["task"]["index"] if workers else 0
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise Problem(
            'TF_CONFIG is to be like {"cluster": {"worker": ["host:port", …]}, "task": {"index": 0}}'
        ) from error
    if len(workers) < 2:
        return 0, 1
    if keras.backend.backend() != "jax":
        raise Problem("TF_CONFIG names several machines; Keras 3 needs KERAS_BACKEND=jax for that (pip install jax)")
    keras.distribution.initialize(",".join(workers), len(workers), number)
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    return number, len(workers)


def for_reading(model):
    """A copy of the trained model to be saved and to read with: in float32, of Keras's own layers, on this machine alone."""
    weights = model.get_weights()
    keras.distribution.set_distribution(None)

    def copied(layer):
        kind = BatchNormalization if isinstance(layer, BatchNormalization) else type(layer)
        return kind.from_config(layer.get_config() | {"dtype": "float32"})

    model = keras.models.clone_model(model, clone_function=copied)
    model.set_weights(weights)
    return model


def choose_strategy(gpus):
    """Where variables live and batches go: one device, or a copy of the net on each of several GPUs."""
    if len(gpus) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()
