"""Terms of a logistic regression tested together, its fit against one rate a cell, and the power of such a test."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc, chdtri, expit, xlog1py, xlogy

from core.analysis.accuracy import logistic


def left_out(
    x: np.ndarray, tested: np.ndarray, k: np.ndarray, n: np.ndarray, persons: logistic.Persons | None, penalised: bool
) -> tuple[str, float, int, float]:
    """Test, statistic, degrees of freedom and p of «the columns `tested`, bool (P,), of x (N, P) say nothing».

    By likelihood ratio, penalised where cells separate (Heinze & Schemper 2002); where people are known by Wald's test
    with errors by person, since the faces of one person make a likelihood too sure.
    """
    df = int(tested.sum())
    if persons is not None:
        fit = (logistic.firth if penalised else logistic.maximum_likelihood)(x, k, n, persons)
        b, v = fit.beta[tested], fit.cov[np.ix_(tested, tested)]
        statistic, test = float(b @ np.linalg.solve(v, b)), "Wald, errors by person"
    elif penalised:
        more, less = logistic.firth(x, k, n), logistic.firth(x, k, n, free=~tested)
        statistic, test = 2 * (more.loglik - less.loglik), "penalised likelihood ratio"
    else:
        more = logistic.maximum_likelihood(x, k, n)
        less = logistic.maximum_likelihood(x[:, ~tested], k, n)
        statistic, test = 2 * (more.loglik - less.loglik), "likelihood ratio"
    statistic = max(statistic, 0.0)
    return test, statistic, df, float(chdtrc(df, statistic))


def against_cells(x: np.ndarray, k: np.ndarray, n: np.ndarray) -> tuple[str, float, int, float]:
    """As `left_out`, of «one rate for each row of x (N, P) says no more»: the deviance, from maximum likelihood.

    Rows are cells, each once. Its χ² is rough where cells are small (`benchmarks.calibration` has its level).
    """
    share = k / n
    most = float((xlogy(k, share) + xlog1py(n - k, -share)).sum())
    statistic = max(2 * (most - logistic.maximum_likelihood(x, k, n).loglik), 0.0)
    df = len(n) - x.shape[1]
    return "likelihood ratio", statistic, df, float(chdtrc(df, statistic)) if df else float("nan")


def power(x: np.ndarray, tested: np.ndarray, n: np.ndarray, truth: np.ndarray, alpha: float) -> float:
    """Power of the likelihood ratio of the columns `tested` where the rates are `truth` (N,), at level `alpha`.

    The non-centrality is the statistic of the expected counts (Self, Mauritsen & Ohara 1992, Biometrics 48:31).
    """
    from scipy.stats import ncx2  # As slow to import as all else of a first page

    _, statistic, df, _ = left_out(x, tested, n * truth, n, None, False)
    return float(ncx2.sf(chdtri(df, alpha), df, max(statistic, 1e-12)))


def without(x: np.ndarray, tested: np.ndarray, k: np.ndarray, n: np.ndarray, penalised: bool) -> np.ndarray:
    """Fitted rates (N,) without the columns `tested`."""
    fit = (logistic.firth if penalised else logistic.maximum_likelihood)(x[:, ~tested], k, n)
    return expit(x[:, ~tested] @ fit.beta)
