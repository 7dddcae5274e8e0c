"""A model's raw outputs to two logits, and doubts about what was declared of them."""

from __future__ import annotations

import numpy as np

from core.classifiers.imported.spec import ONE_OUTPUT, InputOutputSpec
from core.errors import LookwhereError

#: One probability is kept this far from 0 and 1 before its log-odds are taken: float32 rounds what lies nearer to 1.
NEAREST = 1e-7


#: The least normal float32: probabilities a class come from a softmax, which keeps small ones exactly down to there.
LEAST = float(np.finfo(np.float32).tiny)


def to_logits(outputs: np.ndarray, spec: InputOutputSpec) -> np.ndarray:
    """What a model gave, (B, K) or (B,), → logits of both classes, float32 (B, 2).

    One output z for a class becomes ±z/2, so that the two logits' difference is z and softmax gives its sigmoid;
    a probability p becomes log p, one output first its log-odds. Raises `LookwhereError` where the outputs cannot be
    what was declared.
    """
    values = np.asarray(outputs, dtype=np.float64)
    values = values.reshape(len(values), -1)
    if not np.isfinite(values).all():
        raise LookwhereError("the model gave values that are not finite; is its input declared correctly?")
    single = spec.score in ONE_OUTPUT
    if single and values.shape[1] != 1:
        raise LookwhereError(
            f"score {spec.score} is one output, the model gave {values.shape[1]}; declare logits or "
            "probabilities, with the indices of both classes"
        )
    if not single and max(spec.pair) >= values.shape[1]:
        (first, second), (at_first, at_second) = spec.task().labels, spec.pair
        raise LookwhereError(
            f"{first} is output {at_first} and {second} {at_second}, but the model gave {values.shape[1]} "
            "(counted from 0)"
        )
    scores = values if single else values[:, list(spec.pair)]
    if spec.score in ("probability", "probabilities"):
        if scores.min(initial=0) < -1e-4 or scores.max(initial=0) > 1 + 1e-4:
            raise LookwhereError(
                f"declared as {spec.score}, but the model gave {scores.min():.3g} to {scores.max():.3g}; "
                "are these logits?"
            )
        if single:
            scores = np.clip(scores, NEAREST, 1 - NEAREST)
            scores = np.log(scores) - np.log1p(-scores)
        else:
            scores = np.log(np.clip(scores, LEAST, 1))
    if single:
        scores = np.concatenate([scores, -scores], axis=1) * (spec.sign / 2)
    return scores.astype(np.float32)


def doubt(outputs: np.ndarray, spec: InputOutputSpec) -> str | None:
    """Why declared logits look like probabilities, from the outputs of 50 and more faces; None where they do not."""
    values = np.asarray(outputs, dtype=np.float64)
    values = values.reshape(len(values), -1)
    if len(values) < 50 or spec.score not in ("logit", "logits"):
        return None
    scores = values[:, list(spec.pair)] if spec.score == "logits" else values
    if scores.min() < 0 or scores.max() > 1:
        return None
    question = {"logit": "is this a probability", "logits": "are these probabilities"}[spec.score]
    return f"declared as {spec.score}, but all lie between 0 and 1; {question}?"


def classes_doubt(accuracy: float, n: int) -> bool:
    """Whether classes look swapped: fewer than half of `n` faces are right, beyond chance (exact binomial, 0.1 %)."""
    from scipy.stats import binom

    return n > 0 and accuracy < 0.5 and bool(binom.cdf(round(accuracy * n), n, 0.5) <= 0.001)
