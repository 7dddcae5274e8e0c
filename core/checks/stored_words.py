"""The words in the tables that a run of the checks stores, which the checks' verdicts are read by.

Needs no torch: the app reads what a run has stored.
"""

from __future__ import annotations

from enum import StrEnum

#: Stages of the network, made random one after the other, each on top of those before; the last is all of it.
STAGES = ("fc", "layer4", "layer3", "layer2", "layer1", "conv1")
#: The yardstick: the real map of another face with the same prediction.
ANOTHER_FACE = "another face"
#: How alike two maps are: correlation of the cells' ranks, of the ranks of their magnitudes, and SSIM of both.
RANK, RANK_OF_MAGNITUDES, SSIM, SSIM_OF_MAGNITUDES = MEASURES = (
    "rank",
    "rank of magnitudes",
    "SSIM",
    "SSIM of magnitudes",
)


class Score(StrEnum):
    """What orders of pixels are scored by: the oriented logit difference, or the probability of the predicted class."""

    MARGIN = "margin"
    PROBABILITY = "probability"


class Fill(StrEnum):
    """What hides a region: the mean colour of the training images' scale, a heavily blurred copy of the face, or the
    mean colour of what is hidden."""

    GREY = "grey"
    BLUR = "blur"
    LOCAL_MEAN = "local mean"


class RemovalOrder(StrEnum):
    """By what pixels are taken away or put back. OWN: the face's own map. The controls: values drawn at random for each
    cell and enlarged as the map is; a hump in the middle of the crop; the network's map of the average face of all that
    were given the same class."""

    OWN = "this face's map"
    RANDOM = "random order"
    GAUSSIAN = "centred Gaussian"
    AVERAGE_FACE = "average face"

    @property
    def than(self) -> str:
        """A control's words after «than»."""
        return {
            RemovalOrder.RANDOM: "a random order",
            RemovalOrder.GAUSSIAN: "a centred Gaussian",
            RemovalOrder.AVERAGE_FACE: "the average face's map",
        }[self]


class Agreement(StrEnum):
    """Rank agreement over regions of what hiding costs with the evidence: of the regions' means, or of each face's own
    regions, averaged; both by total or by unit of area."""

    MEANS = "means"
    MEANS_BY_AREA = "means by area"
    EACH_FACE = "each face"
    EACH_FACE_BY_AREA = "each face by area"

    @property
    def of_means(self) -> bool:
        return self in (Agreement.MEANS, Agreement.MEANS_BY_AREA)

    @property
    def by_area(self) -> bool:
        return self in (Agreement.MEANS_BY_AREA, Agreement.EACH_FACE_BY_AREA)
