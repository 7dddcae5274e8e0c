"""Logistic regression on counts: maximum likelihood (statsmodels), Firth's when cells separate, errors by person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.special import expit, xlog1py, xlogy


@dataclass(frozen=True)
class Fit:
    """`beta` (P,), its covariance `cov` (P, P) and the log-likelihood, Firth's with its penalty."""

    beta: np.ndarray
    cov: np.ndarray
    loglik: float


def maximum_likelihood(x: np.ndarray, k: np.ndarray, n: np.ndarray, unit: np.ndarray | None = None) -> Fit:
    """Binomial GLM of k right in n faces a row (N,) on x (N, P); with `unit`, whose rows they are, errors by person."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    how = {} if unit is None else {"cov_type": "cluster", "cov_kwds": {"groups": unit}}
    result = GLM(np.stack([k, n - k], axis=1).astype(float), x, family=Binomial()).fit(tol=1e-10, **how)
    beta = np.asarray(result.params)
    return Fit(beta, np.asarray(result.cov_params()), _loglik(x @ beta, k, n))


def firth(
    x: np.ndarray, k: np.ndarray, n: np.ndarray, unit: np.ndarray | None = None, free: np.ndarray | None = None
) -> Fit:
    """Firth's penalised likelihood ℓ(β) + ½ log |I(β)| (1993, Biometrika 80:27): finite where cells separate.

    `free` bool (P,): the coefficients fitted, others held at 0, the penalty always that of all columns, as in penalised
    likelihood-ratio tests (Heinze & Schemper 2002, Stat Med 21:2409).
    """
    free = np.ones(x.shape[1], dtype=bool) if free is None else free
    beta = np.zeros(x.shape[1])
    value = _penalised(x, k, n, beta)
    for _ in range(200):
        mu = expit(x @ beta)
        weight = n * mu * (1 - mu)
        inverse = np.linalg.inv((x * weight[:, None]).T @ x)
        # A row of n faces has n equal leverages; `lever` is their sum.
        lever = weight * np.einsum("ij,jk,ik->i", x, inverse, x)
        score = x.T @ (k - n * mu + lever * (0.5 - mu))
        step = np.zeros_like(beta)
        part = np.ix_(free, free)
        step[free] = np.linalg.solve(np.linalg.inv(inverse)[part], score[free])
        step *= min(1.0, 5.0 / max(np.abs(step).max(), 1e-12))
        while (new := _penalised(x, k, n, beta + step)) < value - 1e-12 and np.abs(step).max() > 1e-10:
            step /= 2
        beta, value = beta + step, new
        if np.abs(step).max() < 1e-8:
            break
    mu = expit(x @ beta)
    inverse = np.linalg.inv((x * (n * mu * (1 - mu))[:, None]).T @ x)
    cov = inverse
    if unit is not None:
        code = np.unique(unit, return_inverse=True)[1]
        people = int(code.max()) + 1
        scores = np.zeros((people, x.shape[1]))
        np.add.at(scores, code, x * (k - n * mu)[:, None])
        cov = people / (people - 1) * inverse @ (scores.T @ scores) @ inverse
    return Fit(beta, cov, value)


def _loglik(eta: np.ndarray, k: np.ndarray, n: np.ndarray) -> float:
    mu = expit(eta)
    return float((xlogy(k, mu) + xlog1py(n - k, -mu)).sum())


def _penalised(x: np.ndarray, k: np.ndarray, n: np.ndarray, beta: np.ndarray) -> float:
    mu = expit(x @ beta)
    sign, size = np.linalg.slogdet((x * (n * mu * (1 - mu))[:, None]).T @ x)
    return _loglik(x @ beta, k, n) + 0.5 * size if sign > 0 else -np.inf


def separated(x: np.ndarray, k: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Bool (N,): rows whose faces some combination of columns separates perfectly, so that no maximum exists.

    By linear programme (Konis 2007): a direction that raises every all-right row, lowers every all-wrong one and leaves
    the mixed rows where they are.
    """
    sign = np.where(k == n, 1.0, np.where(k == 0, -1.0, 0.0))
    pure, mixed = sign != 0, sign == 0
    if not pure.any():
        return np.zeros(len(x), dtype=bool)
    ahead = x[pure] * sign[pure, None]
    found = linprog(
        -ahead.sum(axis=0),
        A_ub=-ahead,
        b_ub=np.zeros(len(ahead)),
        A_eq=x[mixed] if mixed.any() else None,
        b_eq=np.zeros(int(mixed.sum())) if mixed.any() else None,
        bounds=(-1, 1),
        method="highs",
    )
    result = np.zeros(len(x), dtype=bool)
    result[pure] = ahead @ found.x > 1e-7
    return result
