"""What is chosen of a model when it is imported, besides its inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class NetworkOptions:
    """How a network is built, explained and computed.

    `architecture` («torchvision:resnet18», «timm:convnext_tiny») is for state dicts. `maps` chooses how maps are made
    where there is a choice, or `none`. `precision` (`core.devices.PRECISIONS`) is what a network of PyTorch computes
    in, by default float32.
    """

    architecture: str | None = None
    maps: str | None = None
    precision: str | None = None


@dataclass(frozen=True, eq=False)
class PredictionTable:
    """Where a table of predictions has its image names and scores.

    A single logit or probability is in one column of `score_columns`, logits or probabilities in several. `faces`, a
    store's, are those that the predictions are of: a table that names none of them is refused.
    """

    file_column: str = "file"
    score_columns: tuple[str, ...] = ("score",)
    faces: pd.DataFrame | None = None


#: What is chosen where nothing is said.
USUAL_NETWORK, USUAL_TABLE = NetworkOptions(), PredictionTable()
