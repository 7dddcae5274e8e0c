"""Last-layer retraining: groups weigh alike, the head it finds is the margin's, a group that was ignored is helped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from core.classifiers.preprocessing import normalise
from core.classifiers.resnet import GenderResNet
from core.data.store import AlignedStore
from core.training.balanced_head import balanced_weights, fit_head, pooled_features, retrain_head


def made(seed: int = 0) -> tuple[np.ndarray, pd.DataFrame]:
    """Feature 0 tells gender for the large group alone, feature 1 for both, more weakly."""
    draw = np.random.default_rng(seed)
    sizes = {("female", "A"): 400, ("male", "A"): 400, ("female", "B"): 30, ("male", "B"): 30}
    faces = pd.DataFrame([key for key, n in sizes.items() for _ in range(n)], columns=["gender", "ethnicity"])
    sign = np.where(faces["gender"] == "male", 1.0, -1.0)
    large = (faces["ethnicity"] == "A").to_numpy()
    features = draw.normal(size=(len(faces), 5))
    features[:, 0] += np.where(large, 3 * sign, -1.5 * sign)
    features[:, 1] += 1.2 * sign
    return features * [1, 10, 1, 0.1, 1] + 3, faces


def test_each_group_weighs_alike() -> None:
    _, faces = made()
    weights = balanced_weights(faces)
    sums = pd.Series(weights).groupby([faces["gender"], faces["ethnicity"]]).sum()
    assert np.allclose(sums, len(faces) / 4)


def test_a_balanced_head_helps_the_small_group() -> None:
    features, faces = made()
    test_features, test = made(seed=1)
    male, truth = (faces["gender"] == "male").to_numpy(), (test["gender"] == "male").to_numpy()
    right = {}
    for name, weights in (("plain", np.ones(len(faces))), ("balanced", balanced_weights(faces))):
        weight, bias = fit_head(features, male, weights)
        correct = (test_features @ weight + bias > 0) == truth
        right[name] = pd.Series(correct).groupby(test["ethnicity"]).mean()
    assert right["balanced"]["B"] > right["plain"]["B"] + 0.2


def test_features_times_the_head_are_the_logits(made_store: AlignedStore) -> None:
    torch.manual_seed(0)
    network = GenderResNet(dilated=True).eval()
    faces = made_store.split("val")
    features = pooled_features(network, made_store, faces, 32, batch=5)
    logits = features @ network.fc.weight.detach().numpy().T + network.fc.bias.detach().numpy()
    with torch.inference_mode():
        direct, _ = network.evidence(normalise(made_store.images[faces["row"].to_numpy()], "cpu", 32))
    assert features.shape == (len(faces), 2048)
    assert logits == pytest.approx(direct.numpy(), abs=0.05)


def test_the_network_says_what_the_fitted_head_says(made_store: AlignedStore) -> None:
    torch.manual_seed(0)
    network = GenderResNet(dilated=True).eval()
    faces = made_store.faces
    retrain_head(network, made_store, faces, 32)
    features = pooled_features(network, made_store, faces, 32)
    weight, bias = fit_head(features, (faces["gender"] == "male").to_numpy(), balanced_weights(faces))
    head = network.fc.weight.detach().numpy(), network.fc.bias.detach().numpy()
    margin = (features @ head[0].T + head[1]) @ [-1, 1]
    assert margin == pytest.approx(features @ weight + bias, rel=1e-4, abs=1e-4)
    assert ((margin > 0) == (faces["gender"] == "male")).mean() > 0.9, "the made men are brighter"
