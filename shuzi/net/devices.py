"""Processors and GPUs: `set_up` is called once, before TensorFlow is imported, and settles where and how it computes.

Neither TensorFlow nor Keras is imported before a function here needs it: that takes seconds, and which GPUs they see is
settled by CUDA_VISIBLE_DEVICES before.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from shuzi.core.command import Problem
from shuzi.core.text import shown
from shuzi.net import cluster

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read by TensorFlow when it is imported
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


class Machine(NamedTuple):
    """What training runs on. gpus: those that TensorFlow sees. precision: the name of a Keras policy, as "float32"."""

    gpus: list
    precision: str

    def __str__(self):
        import keras

        gpus = f"{len(self.gpus)} GPU{'s' * (len(self.gpus) != 1)}"
        return (
            f"{gpus}, {os.cpu_count()} cores, {self.precision}, Keras {keras.__version__} on {keras.backend.backend()}"
        )


def set_up(seed: int = 0, gpus: str | int | None = None, gpu_memory_mb: int | None = None) -> Machine:
    """Import TensorFlow and Keras without their greetings, choose devices, threads and precision, and seed all.

    gpus: "0" or "0,1" chooses GPUs; None leaves it to CUDA_VISIBLE_DEVICES, else takes all; several share each batch.
    gpu_memory_mb: at most so much memory of each GPU; None takes it as it is needed.
    Where TF_CONFIG names several machines, they train as one (`cluster.py`). Raises Problem.
    """
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # GPU 0 is the one that nvidia-smi calls 0
    if gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(gpus)
    with quiet_stderr():
        keras = import_keras()
        set_threads()
        visible = set_gpu_memory(gpu_memory_mb)
        share_among(visible)
        precision = set_precision(visible)
        cluster.join()
    keras.utils.set_random_seed(seed)
    return Machine(visible, precision)


def import_keras():
    """Keras, with the settings that this program is made for, whatever the user's keras.json says. Raises Problem."""
    try:
        import keras
    except Exception as error:  # a backend that is not there, a keras.json that Keras can't use: of many types
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        why = shown(str(error).splitlines()[0] if str(error) else type(error).__name__)
        if backend != "tensorflow":
            raise Problem(
                f"KERAS_BACKEND={shown(backend)}: Keras can't start with that ({why}); unset it, or install what it needs"
            ) from error
        if isinstance(error, ImportError):
            raise
        config = Path(os.environ.get("KERAS_HOME") or Path("~", ".keras"), "keras.json")
        raise Problem(f"Keras can't start with {shown(str(config))} ({why}); correct it, or remove it") from error
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    return keras


def set_threads() -> None:
    """One operation at a time, each on all cores.

    By default TensorFlow also runs as many operations at once as there are cores. On two cores that made steps
    neither quicker nor slower; it leaves fewer threads to get into each other's way.
    """
    import tensorflow as tf

    with contextlib.suppress(RuntimeError):  # TensorFlow has computed something before, and stays as it is
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.threading.set_intra_op_parallelism_threads(os.cpu_count() or 1)


def set_gpu_memory(limit_mb: int | None = None) -> list:
    """Take GPU memory as it is needed, or at most `limit_mb` megabytes of each GPU. Returns the visible GPUs."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        if limit_mb:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=limit_mb)
            tf.config.set_logical_device_configuration(gpu, [limit])
        else:
            tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.set_soft_device_placement(True)  # what a GPU can't do, the processor does
    return gpus


def share_among(devices: list) -> None:
    """From now on nets are built as a copy on each of several devices, which share each batch; of one, on it alone."""
    import tensorflow as tf

    several = len(devices) > 1
    if several or replicas() > 1:
        names = [":".join(device.name.split(":")[-2:]) for device in devices]
        tf.distribute.experimental_set_strategy(tf.distribute.MirroredStrategy(names) if several else None)


def replicas() -> int:
    """How many devices share a batch."""
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def set_precision(gpus: list) -> str:
    """Multiply in 16 bits and add in 32 where the hardware is quicker at it. Returns the policy's name.

    mixed_float16 where every GPU has tensor cores, from compute capability 7.0 on; mixed_bfloat16 on processors with
    AMX, and on AMD's with AVX512_BF16, where training took about a fifth less time. On an Intel processor with AVX512_BF16
    and no AMX it took 1.5 times as long, and elsewhere, too, 16 bits are slower than 32.
    """
    import keras
    import tensorflow as tf

    capabilities = [tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)) for gpu in gpus]
    policy = "float32"
    if capabilities and min(capabilities) >= (7, 0):
        policy = "mixed_float16"
    elif not gpus and has_quick_bfloat16():
        policy = "mixed_bfloat16"
    keras.mixed_precision.set_global_policy(policy)
    return policy


def has_quick_bfloat16(path: str | Path = "/proc/cpuinfo") -> bool:
    """Does the processor multiply bfloat16 quicker than float32? Only Linux tells; elsewhere the answer is no."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return False
    words = {
        word for line in lines if line.startswith(("flags", "vendor_id")) for word in line.partition(":")[2].split()
    }
    return "amx_bf16" in words or {"avx512_bf16", "AuthenticAMD"} <= words


@contextlib.contextmanager
def quiet_stderr():
    """Keep what is written to stderr while TensorFlow starts, and show it only where that fails otherwise.

    TensorFlow's libraries greet and warn there from C++, whatever TF_CPP_MIN_LOG_LEVEL says.
    """
    if sys.stderr is None:  # no console at all
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            yield
        except Problem:
            raise  # says what is wrong by itself
        except Exception:
            notes.seek(0)
            os.write(kept, notes.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
