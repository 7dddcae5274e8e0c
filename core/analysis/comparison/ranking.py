"""How well networks rank the classes whatever the threshold: area under the curve, and a threshold of one's own."""

from __future__ import annotations

import numpy as np

from core.analysis.bootstrap import by_unit

#: Weights held at a time: they stay in the processor's cache; a block of samples is as long as fits.
_BLOCK = 300_000


def rank_measures(score: np.ndarray, positive: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Area under the ROC curve, and accuracy where both classes are right equally often; float64 (R,) each.

    `score` (n,) of the positive class, `positive` bool (n,), `weight` (R, n): how often each face counts in each of R
    samples. Ties count half. The own threshold is where as large a share of one class lies under it as of the other
    above, between two scores on the straight line: it is not tuned for accuracy. NaN in a sample of one class.
    """
    return _ranked(score, positive, np.asarray(weight, dtype=np.float64).T)


def _ranked(score: np.ndarray, positive: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`rank_measures` of weights (n, R): a face a row, which lies together in memory and is only moved as a whole."""
    order = np.argsort(score, kind="stable")
    side = positive[order]
    of_negative, of_positive = (weight[order[members]] for members in (~side, side))
    ends = np.append(np.flatnonzero(np.diff(score[order]) != 0) + 1, len(score))  # of each value's faces
    # How many of either class lie up to each value's end, from none on.
    negative_to, positive_to = (np.append(0, np.cumsum(members))[np.append(0, ends)] for members in (~side, side))
    negatives, positives = _summed(of_negative), _summed(of_positive)
    all_negative, all_positive = negatives[-1], positives[-1]
    value = np.searchsorted(ends, np.flatnonzero(side), side="right")
    low, high = negative_to[value], negative_to[value + 1]
    under = negatives[low] if (low == high).all() else (negatives[low] + negatives[high]) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        area = np.einsum("ij,ij->j", of_positive, under) / (all_negative * all_positive)
        each = np.arange(weight.shape[1])

        def shares(end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return negatives[negative_to[end], each] / all_negative, positives[positive_to[end], each] / all_positive

        # The first value up to which both shares make 1 or more: they rise, so it is looked for by halves.
        before, after = np.zeros(len(each), dtype=np.int64), np.full(len(each), len(ends))
        while (after - before > 1).any():
            middle = (before + after) // 2
            reached = np.add(*shares(middle)) >= 1
            before, after = np.where(reached, before, middle), np.where(reached, middle, after)
        (w, m), (w_next, m_next) = shares(before), shares(after)
        own = w + (1 - w - m) / (w_next + m_next - w - m) * (w_next - w)
    return area, np.where(np.isnan(area), np.nan, own)


def _summed(weight: np.ndarray) -> np.ndarray:
    """Sums (k + 1, R) of the first rows of (k, R), from none to all."""
    sums = np.zeros((len(weight) + 1, weight.shape[1]))
    np.cumsum(weight, axis=0, out=sums[1:])
    return sums


def resampled_ranking(
    scores: np.ndarray, positive: np.ndarray, people: np.ndarray | None, samples: int, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """`rank_measures` of M networks' scores (n, M) in the same `samples` of faces, or of people whole: (R, M) each."""
    n, networks = scores.shape
    code = np.arange(n) if people is None else np.unique(people, return_inverse=True)[1]
    units = len(by_unit(np.ones((n, 1)), people))
    measures = np.empty((2, samples, networks))
    step = max(1, _BLOCK // n)
    for start in range(0, samples, step):
        size = min(step, samples - start)
        counts = draw.multinomial(units, np.full(units, 1 / units), size=size)
        weight = np.ascontiguousarray(counts.T, dtype=np.float64)[code]
        for m in range(networks):
            measures[:, start : start + size, m] = _ranked(scores[:, m], positive, weight)
    return measures[0], measures[1]
