"""Whether confidence means what it says: temperature scaling, the calibration error, and telling what is of no class."""

import numpy as np


def find_temperature(logits, labels):
    """The number to divide logits by, for the largest likelihood of the labels (Guo et al. 2017).

    Half a picture more is imagined, with an open label, much as Platt (1999) does: a net that made no mistake
    would else be made surer without end, and confidence of 1.0 for all tells nothing.

    logits: float (n, classes). labels: int (n,) or (n, 1). Returns a float, 0.05 to 20.
    """
    logits, labels = np.asarray(logits, np.float64), np.ravel(labels)
    doubt = 0.5 / (len(labels) + 0.5)

    def loss(log_temperature):
        scaled = logits / np.exp(log_temperature)
        largest = scaled.max(axis=1)
        log_sum = largest + np.log(np.exp(scaled - largest[:, None]).sum(axis=1))
        of_label = scaled[np.arange(len(labels)), labels]
        return np.mean(log_sum - (1 - doubt) * of_label - doubt * scaled.mean(axis=1))

    low, high = np.log(0.05), np.log(20)
    while high - low > 1e-4:  # the loss has one minimum: halve the range that holds it
        middle = (low + high) / 2
        if loss(middle + 1e-5) > loss(middle - 1e-5):
            high = middle
        else:
            low = middle
    return float(np.exp((low + high) / 2))


def lead(probabilities):
    """How far the best class stands out from all: its logit less the mean of all logits.

    It tells what belongs to no class better than the best probability does, which only weighs the best class against the
    next one or two. A softmax at a high temperature ranks pictures likewise (ODIN, Liang, Li and Srikant 2018).

    probabilities: float (n, classes), 0-1; their logarithms are logits. Returns float (n,), 0 or more.
    """
    logits = np.log(np.maximum(probabilities, 1e-30))
    return logits.max(axis=1) - logits.mean(axis=1)


def calibration_error(probabilities, labels, bins=15):
    """Expected calibration error: how far confidence and accuracy are apart, on average (Guo et al. 2017).

    probabilities: float (n, classes). labels: int (n,). bins: of equal width. Returns a float, 0-1.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))
