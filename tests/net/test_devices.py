"""GPUs that are not there, processors, Keras's settings: what is chosen, and what a person is told."""

import os
import subprocess
import sys
from unittest.mock import MagicMock

import pytest
from common import PROJECT

from shuzi.net import devices
from shuzi.net.devices import quiet_stderr

with quiet_stderr():
    import keras
    import tensorflow


@pytest.fixture
def config(monkeypatch):
    """tf.config, replaced; it lists `config.gpus`, of compute capability `config.capability`."""
    config = MagicMock()
    config.gpus, config.capability = [], {}
    config.list_physical_devices.side_effect = lambda kind: config.gpus if kind == "GPU" else ["CPU:0"]
    config.experimental.get_device_details.side_effect = lambda gpu: config.capability.get(gpu, {})
    monkeypatch.setattr(tensorflow, "config", config)
    return config


def test_memory_of_each_gpu_grows_as_needed(config):
    config.gpus = ["GPU:0", "GPU:1"]
    assert devices.set_gpu_memory() == ["GPU:0", "GPU:1"]
    calls = config.experimental.set_memory_growth.call_args_list
    assert [call.args for call in calls] == [("GPU:0", True), ("GPU:1", True)]
    config.set_logical_device_configuration.assert_not_called()


def test_or_memory_of_each_gpu_is_limited(config):
    config.gpus = ["GPU:0", "GPU:1"]
    devices.set_gpu_memory(2048)
    config.LogicalDeviceConfiguration.assert_called_with(memory_limit=2048)
    limited = [call.args for call in config.set_logical_device_configuration.call_args_list]
    limit = config.LogicalDeviceConfiguration.return_value
    assert limited == [("GPU:0", [limit]), ("GPU:1", [limit])]
    config.experimental.set_memory_growth.assert_not_called()  # TensorFlow refuses both for one GPU


def test_without_a_gpu_nothing_is_set_for_one(config):
    assert devices.set_gpu_memory(2048) == []
    config.experimental.set_memory_growth.assert_not_called()


@pytest.mark.parametrize(
    "capabilities, precision",
    [
        ([], "float32"),
        ([(6, 1)], "float32"),
        ([(7, 0)], "mixed_float16"),
        ([(9, 0), (8, 0)], "mixed_float16"),
        ([(9, 0), (6, 1)], "float32"),
        ([None], "float32"),  # a GPU of which nothing is known
    ],
)
def test_half_precision_where_all_gpus_have_tensor_cores(config, policy, monkeypatch, capabilities, precision):
    monkeypatch.setattr(devices, "has_quick_bfloat16", lambda: False)
    gpus = [f"GPU:{i}" for i in range(len(capabilities))]
    config.capability = {gpu: {"compute_capability": one} for gpu, one in zip(gpus, capabilities) if one}
    assert devices.set_precision(gpus) == precision
    assert keras.mixed_precision.global_policy().name == precision


@pytest.mark.parametrize(
    "quick, gpus, precision",
    [
        (True, [], "mixed_bfloat16"),
        (False, [], "float32"),
        (True, ["GPU:0"], "float32"),  # an old GPU does the work
    ],
)
def test_half_precision_where_the_processor_is_quick_at_it(config, policy, monkeypatch, quick, gpus, precision):
    monkeypatch.setattr(devices, "has_quick_bfloat16", lambda: quick)
    assert devices.set_precision(gpus) == precision


AMD, INTEL = (f"processor\t: 0\nvendor_id\t: {name}\n" for name in ("AuthenticAMD", "GenuineIntel"))


@pytest.mark.parametrize(
    "text, quick",
    [
        (AMD + "flags\t\t: fpu avx2 avx512f avx512_bf16 gfni\n", True),
        (AMD + "flags\t\t: fpu avx2 avx512f gfni\n", False),
        (INTEL + "flags\t\t: fpu avx512_bf16 amx_bf16\n", True),
        (INTEL + "flags\t\t: fpu avx512_bf16\n", False),  # has it, but slowly
        (AMD + "flags : fpu avx2 avx512f\nbugs : avx512_bf16\n", False),
    ],
)
def test_which_processors_are_quick_at_bfloat16(tmp_path, text, quick):
    (tmp_path / "cpuinfo").write_text(text)
    assert devices.has_quick_bfloat16(tmp_path / "cpuinfo") == quick


def test_where_no_file_tells_no_processor_is_quick_at_bfloat16(tmp_path):
    assert not devices.has_quick_bfloat16(tmp_path / "cpuinfo")


BEFORE_TENSORFLOW = """
import os, sys
from shuzi.net import devices

class Imports:
    def find_spec(self, name, path=None, target=None):
        if name in ("tensorflow", "keras"):
            print(os.environ.get("CUDA_VISIBLE_DEVICES"), os.environ.get("CUDA_DEVICE_ORDER"))
            sys.stdout.flush()
            os._exit(0)

sys.meta_path.insert(0, Imports())
devices.set_up(gpus=%r)
"""


@pytest.mark.parametrize(
    "gpus, environment, seen",
    [
        ("0", {}, "0"),
        ("0,1", {"CUDA_VISIBLE_DEVICES": "3"}, "0,1"),
        (1, {}, "1"),  # papermill makes a number of it
        (None, {"CUDA_VISIBLE_DEVICES": "1"}, "1"),
        (None, {}, "None"),
    ],
)
def test_gpus_are_chosen_before_tensorflow_is_imported(gpus, environment, seen):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUDA_")}
    ran = subprocess.run(
        [sys.executable, "-c", BEFORE_TENSORFLOW % (gpus,)],
        cwd=PROJECT,
        env=kept | environment,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.split() == [seen, "PCI_BUS_ID"], ran.stderr


READING_WITH_OTHER_SETTINGS = """
from shuzi.core.command import Problem
from shuzi.net import devices
try:
    keras = devices.import_keras()
    print(keras.config.image_data_format(), keras.config.floatx())
except Problem as problem:
    print(problem)
"""


@pytest.mark.parametrize(
    "settings, environment, told",
    [
        ('{"image_data_format": "channels_first", "floatx": "float16"}', {}, ["channels_last float32"]),
        ("{not JSON", {}, ["channels_last float32"]),
        ('{"floatx": "float99"}', {}, ["keras.json", "correct it, or remove it"]),
        ("{}", {"KERAS_BACKEND": "nonsense"}, ["KERAS_BACKEND=nonsense", "unset it"]),
    ],
)
def test_settings_of_keras_do_no_harm_or_are_named(tmp_path, settings, environment, told):
    (tmp_path / "keras.json").write_text(settings)
    environment = os.environ | {"KERAS_HOME": str(tmp_path)} | environment
    ran = subprocess.run(
        [sys.executable, "-c", READING_WITH_OTHER_SETTINGS],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert len(ran.stdout.splitlines()) == 1, ran.stderr
    assert all(word in ran.stdout for word in told), ran.stdout
