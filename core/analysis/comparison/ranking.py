"""How well networks rank women under men whatever the threshold: area under the curve, and a threshold of one's own."""

from __future__ import annotations

import numpy as np

from core.analysis.bootstrap import by_unit

#: Weights held at a time; a block of samples is as long as fits.
_BLOCK = 4_000_000


def rank_measures(score: np.ndarray, positive: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Area under the ROC curve, and accuracy where women and men are right equally often; float64 (R,) each.

    `score` (n,) of the positive class, `positive` bool (n,), `weight` (R, n): how often each face counts in each of R
    samples. Ties count half. The own threshold is where as large a share of one class lies under it as of the other
    above, between two scores on the straight line: it is not tuned for accuracy. NaN in a sample of one class.
    """
    order = np.argsort(score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    below = [
        np.cumsum(weight[:, order] * side[order], axis=1, dtype=np.float64)[:, last] for side in (~positive, positive)
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        women, men = (part / part[:, -1:] for part in below)
        step = np.diff(men, axis=1, prepend=0)
        area = (step * (women - np.diff(women, axis=1, prepend=0) / 2)).sum(axis=1)
        women, men = (np.pad(part, ((0, 0), (1, 0))) for part in (women, men))
        after = (women + men >= 1).argmax(axis=1)[:, None]
        w, m = (np.take_along_axis(part, np.maximum(after - 1, 0), 1)[:, 0] for part in (women, men))
        w_next, m_next = (np.take_along_axis(part, after, 1)[:, 0] for part in (women, men))
        own = w + (1 - w - m) / (w_next + m_next - w - m) * (w_next - w)
    one = np.isnan(area)
    return area, np.where(one, np.nan, own)


def resampled_ranking(
    scores: np.ndarray, positive: np.ndarray, people: np.ndarray | None, samples: int, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """`rank_measures` of M networks' scores (n, M) in the same `samples` of faces, or of people whole: (R, M) each."""
    n, networks = scores.shape
    code = np.arange(n) if people is None else np.unique(people, return_inverse=True)[1]
    units = len(by_unit(np.ones((n, 1)), people))
    found = np.empty((2, samples, networks))
    step = max(1, _BLOCK // n)
    for start in range(0, samples, step):
        size = min(step, samples - start)
        weight = draw.multinomial(units, np.full(units, 1 / units), size=size)[:, code]
        for m in range(networks):
            found[:, start : start + size, m] = rank_measures(scores[:, m], positive, weight)
    return found[0], found[1]
