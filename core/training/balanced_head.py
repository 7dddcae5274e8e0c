"""Last-layer retraining on group-balanced faces (Kirichenko et al. 2023, https://arxiv.org/abs/2204.02937)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from torch import Tensor

from core.classifiers.preprocessing import normalise
from core.classifiers.resnet import GenderResNet
from core.data.store import AlignedStore
from core.devices import autocast
from core.task import GENDER, Task
from core.training.groups import GROUPS, crossed, level_codes

#: Strengths of the L2 penalty that are tried, as scikit-learn's C.
PENALTIES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
FOLDS = 5


@torch.inference_mode()
def pooled_features(
    network: GenderResNet, store: AlignedStore, faces: pd.DataFrame, size: int, batch: int = 64
) -> np.ndarray:
    """Pooled last features, float32 (N, 2048), of a store's faces."""
    rows, batches = faces["row"].to_numpy(), []
    for start in range(0, len(rows), batch):
        with autocast("cpu"):
            maps = network.features(normalise(store.images[rows[start : start + batch]], "cpu", size))
        batches.append(maps.float().mean(dim=(2, 3)).numpy())
    return np.concatenate(batches)


def balanced_weights(faces: pd.DataFrame, task: Task = GENDER, groups: Sequence[str] = GROUPS) -> np.ndarray:
    """A weight a face, so that each class × group (`core.training.groups`) counts alike; their mean is 1."""
    part = level_codes(faces, crossed(task, groups))
    weights = 1 / np.bincount(part)[part].astype(np.float64)
    return weights / weights.mean()


def fit_head(
    features: np.ndarray, positive: np.ndarray, weights: np.ndarray, seed: int = 0
) -> tuple[np.ndarray, float]:
    """Weights (2048,) and bias of a logistic regression of the positive class.

    Its penalty is chosen by the weighted log loss of 5 folds.
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    scaled = (features - mean) / deviation
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(scaled, positive))

    def fit(penalty: float, rows: np.ndarray) -> LogisticRegression:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # weak penalties are tried, and lose
            return LogisticRegression(C=penalty, max_iter=300).fit(scaled[rows], positive[rows], weights[rows])

    def loss(penalty: float) -> float:
        total = 0.0
        for inside, outside in folds:
            margin = fit(penalty, inside).decision_function(scaled[outside])
            total += float((weights[outside] * np.logaddexp(0, np.where(positive[outside], -margin, margin))).sum())
        return total / weights.sum()

    best = min(PENALTIES, key=loss)
    fitted = fit(best, np.arange(len(positive)))
    weight = fitted.coef_[0] / deviation
    return weight, float(fitted.intercept_[0] - weight @ mean)


def retrain_head(
    network: GenderResNet,
    store: AlignedStore,
    faces: pd.DataFrame,
    size: int,
    seed: int = 0,
    task: Task = GENDER,
    groups: Sequence[str] = GROUPS,
) -> None:
    """Put a group-balanced head on the network, in place: half of the margin on each logit."""
    positive = task.is_positive(faces)
    weights = balanced_weights(faces, task, groups)
    weight, bias = fit_head(pooled_features(network, store, faces, size), positive, weights, seed)

    def halves(x: np.ndarray | float) -> Tensor:
        return torch.as_tensor(np.stack([-np.asarray(x) / 2, np.asarray(x) / 2]), dtype=torch.float32)

    with torch.no_grad():
        network.fc.weight.copy_(halves(weight))
        network.fc.bias.copy_(halves(bias))
