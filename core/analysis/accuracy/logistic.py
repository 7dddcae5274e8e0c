"""Logistic regression on counts: maximum likelihood, Firth's when cells separate, errors by person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit, xlog1py, xlogy

if TYPE_CHECKING:
    from scipy import sparse

#: Steps after which a likelihood without a maximum is left as it is.
MOST_STEPS = 100


@dataclass(frozen=True)
class Fit:
    """`beta` (P,), its covariance `cov` (P, P) and the log-likelihood, Firth's with its penalty."""

    beta: np.ndarray
    cov: np.ndarray
    loglik: float


@dataclass(frozen=True)
class Persons:
    """What each of U persons has in each of the design's N rows: `right` faces of `faces`, sparse (U, N) each."""

    right: sparse.csr_array
    faces: sparse.csr_array

    @classmethod
    def counted(
        cls, unit: np.ndarray, row: np.ndarray, right: np.ndarray, rows: int, each: np.ndarray | None = None
    ) -> Persons:
        """From each face's person and row, int (F,), and whether it is right, bool (F,); each stands for so many."""
        from scipy import sparse  # Slow to import

        each = np.ones(len(row)) if each is None else each
        code = np.unique(unit, return_inverse=True)[1]
        shape = (int(code.max()) + 1, rows)
        return cls(
            sparse.csr_array(((right * each).astype(np.float64), (code, row)), shape=shape),
            sparse.csr_array((each.astype(np.float64), (code, row)), shape=shape),
        )

    def covariance(self, x: np.ndarray, mu: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """Sandwich covariance (P, P) with a person's faces as a cluster, for rates `mu` (N,) and I⁻¹ `inverse`.

        Liang & Zeger 1986 (Biometrika 73:13), with statsmodels' small-sample factor of faces and persons. No matrix is
        as long as there are persons but sparse ones.
        """
        apart = self.right - self.faces * mu[None, :]
        meat = x.T @ ((apart.T @ apart) @ x)
        persons, faces = self.faces.shape[0], self.faces.sum()
        factor = persons / max(persons - 1, 1) * (faces - 1) / max(faces - x.shape[1], 1)
        return factor * inverse @ meat @ inverse


def maximum_likelihood(x: np.ndarray, k: np.ndarray, n: np.ndarray, persons: Persons | None = None) -> Fit:
    """Binomial GLM of k right in n faces a row (N,) on x (N, P); with `persons` the errors are by person.

    Iteratively reweighted least squares (McCullagh & Nelder 1989, Generalized Linear Models, 2.5) until the deviance
    stays. Columns that follow from others share their effect. A test compares it with statsmodels' GLM, whose import
    takes as long as the rest of a first page.
    """
    eta = logit((k + 0.5) / (n + 1))
    value = -np.inf
    for _ in range(MOST_STEPS):
        mu = expit(eta)
        weight = n * mu * (1 - mu)
        root = np.sqrt(weight)
        # Rows whose rate has reached 0 or 1 have no weight, and no say.
        response = np.where(weight > 0, root * eta + (k - n * mu) / np.where(weight > 0, root, 1.0), 0.0)
        inverse = np.linalg.pinv(x * root[:, None])
        beta = inverse @ response
        eta = x @ beta
        previous, value = value, _loglik(eta, k, n)
        if abs(value - previous) <= 1e-11:
            break
    cov = inverse @ inverse.T
    if persons is not None:
        cov = persons.covariance(x, expit(eta), cov)
    return Fit(beta, cov, value)


def firth(
    x: np.ndarray, k: np.ndarray, n: np.ndarray, persons: Persons | None = None, free: np.ndarray | None = None
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
        information = (x * weight[:, None]).T @ x
        # A row of n faces has n equal leverages; `lever` is their sum.
        lever = weight * ((x @ np.linalg.inv(information)) * x).sum(axis=1)
        score = x.T @ (k - n * mu + lever * (0.5 - mu))
        step = np.zeros_like(beta)
        step[free] = np.linalg.solve(information[np.ix_(free, free)], score[free])
        step *= min(1.0, 5.0 / max(np.abs(step).max(), 1e-12))
        while (new := _penalised(x, k, n, beta + step)) < value - 1e-12 and np.abs(step).max() > 1e-10:
            step /= 2
        gain, beta, value = new - value, beta + step, new
        # Of many columns the last steps are rounding, which never gets smaller.
        if np.abs(step).max() < 1e-8 or abs(gain) < 4 * np.spacing(abs(value)):
            break
    mu = expit(x @ beta)
    inverse = np.linalg.inv((x * (n * mu * (1 - mu))[:, None]).T @ x)
    cov = inverse if persons is None else persons.covariance(x, mu, inverse)
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

    By linear programme (Konis 2007): a direction that raises all-right rows or leaves them, lowers all-wrong ones or
    leaves them, and leaves the mixed rows where they are. Such directions add up, so one of them moves by 1 or more
    every row that any of them moves; the programme counts the rows that move, each by 1 at most.
    """
    sign = np.where(k == n, 1.0, np.where(k == 0, -1.0, 0.0))
    pure, mixed = sign != 0, sign == 0
    ahead, result = x[pure] * sign[pure, None], np.zeros(len(x), dtype=bool)
    moves = ahead @ _null_space(x[mixed], x)
    # Two cases need no programme. Each pure row can be moved by itself: all of them are separated.
    if np.linalg.matrix_rank(moves) == len(moves):
        result[pure] = True
        return result
    # All move together: they are separated where one way or the other moves none of them back.
    if moves.shape[1] < 2:
        together = moves.sum(axis=1)
        for along in (together, -together):
            if (along > -1e-7).all():
                result[pure] |= along > 1e-7
        return result
    from scipy.optimize import linprog  # Slow to import

    columns, rows = x.shape[1], len(ahead)
    optimum = linprog(
        np.repeat([0.0, -1.0], [columns, rows]),
        A_ub=np.hstack([-ahead, np.eye(rows)]),
        b_ub=np.zeros(rows),
        A_eq=np.hstack([x[mixed], np.zeros((int(mixed.sum()), rows))]) if mixed.any() else None,
        b_eq=np.zeros(int(mixed.sum())) if mixed.any() else None,
        bounds=[(None, None)] * columns + [(0, 1)] * rows,
        method="highs",
    )
    result[pure] = optimum.x[columns:] > 0.5
    return result


def _null_space(rows: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Directions (P, D), orthonormal, in which `rows`, some of those of `x`, stay where they are, and others do not."""
    _, size, axes = np.linalg.svd(x, full_matrices=False)
    within = axes[size > size.max(initial=0.0) * max(x.shape) * np.finfo(float).eps].T
    # All axes are needed; of many rows they are had without a square of their number.
    _, size, axes = np.linalg.svd(rows @ within, full_matrices=len(rows) < within.shape[1])
    rank = int((size > size.max(initial=0.0) * max(x.shape) * np.finfo(float).eps).sum())
    return within @ axes[rank:].T
