"""Temperature, lead and calibration error, on logits of which they are known."""

import numpy as np
import pytest

from shuzi.net import calibration


def drawn_labels(logits, rng):
    """Labels as often right as the logits say."""
    return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_a_known_temperature_is_found(temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (20_000, 10))
    labels = drawn_labels(logits, rng)
    found = calibration.find_temperature(logits * temperature, labels[:, None])
    assert found == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("count", [10, 1000])
def test_a_net_that_made_no_mistake_is_not_made_certain(count):
    labels = np.arange(count) % 10
    logits = 8 * np.eye(10, dtype="float32")[labels]
    temperature = calibration.find_temperature(logits, labels)
    wrong = 9 / (9 + np.exp(8 / temperature))
    assert 0.1 / count < wrong < 1 / count


def test_temperature_is_bounded():
    logits = np.eye(10, dtype="float32")
    assert 19 < calibration.find_temperature(-logits, np.arange(10)) <= 20.01  # always wrong
    assert 19 < calibration.find_temperature(1e4 * logits, np.arange(10)) <= 20.01
    assert 0.05 <= calibration.find_temperature(1e-4 * logits, np.arange(10)) < 0.06


def test_lead_tells_doubt_between_two_classes_from_doubt_about_all():
    sure = np.full(10, 1e-6)
    sure[3] = 1
    torn = np.full(10, 1e-6)
    torn[[3, 4]] = 0.5
    lost = np.full(10, 0.05)
    lost[3] = 0.55
    leads = calibration.lead(np.stack([sure, torn, lost, np.full(10, 0.1)]))
    assert leads[0] > leads[1] > 4 * leads[2] > 0 and leads[3] == pytest.approx(0, abs=1e-12)
    assert leads[0] == pytest.approx(0.9 * np.log(1e6))
    assert np.isfinite(calibration.lead(np.eye(3))).all()


def test_calibration_error_of_an_honest_and_of_an_overconfident_net():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (50_000, 5))
    labels = drawn_labels(logits, rng)
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert calibration.calibration_error(honest, labels) < 0.01
    # always sure at 0.98, right half the time
    sure = np.full((1000, 3), 0.01)
    sure[:, 0] = 0.98
    half = np.arange(1000) % 2
    assert calibration.calibration_error(sure, half) == pytest.approx(0.48, abs=1e-6)
    assert calibration.calibration_error(np.eye(3), np.arange(3)) == 0  # confidence 1 has a bin too
