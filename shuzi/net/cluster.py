"""Several machines that train as one, where TF_CONFIG names them; without it, this does nothing.

Each machine is started with the same notebook and data. Each takes its part of each batch, and gradients are summed over
all. It is `keras.distribution` that does this, which for several machines needs Keras's JAX backend: TensorFlow's
MultiWorkerMirroredStrategy does not work with Keras 3 (https://github.com/keras-team/keras/issues/20585).
"""

import json
import os

from shuzi.core.command import Problem


def place() -> tuple[int, int]:
    """This machine's number, from 0, and how many train as one. Raises Problem."""
    number, workers = _config()
    return number, max(1, len(workers))


def join() -> None:
    """Train as one with the other machines. Raises Problem."""
    import keras

    number, workers = _config()
    if not workers:
        return
    if keras.backend.backend() != "jax":
        raise Problem("TF_CONFIG names several machines; Keras 3 needs KERAS_BACKEND=jax for that (pip install jax)")
    keras.distribution.initialize(",".join(workers), len(workers), number)
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))


def leave() -> None:
    """What is built from now on is of this machine alone."""
    import keras

    keras.distribution.set_distribution(None)


def _config() -> tuple[int, list[str]]:
    """This machine's number and the addresses of all; 0 and none where it works alone."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        workers = config.get("cluster", {}).get("worker", [])
        number = config["task"]["index"] if workers else 0
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise Problem(
            'TF_CONFIG is to be like {"cluster": {"worker": ["host:port", …]}, "task": {"index": 0}}'
        ) from error
    return (number, workers) if len(workers) > 1 else (0, [])
