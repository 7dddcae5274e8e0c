"""ROAD: Rong et al. 2022, «A consistent and efficient evaluation strategy for attribution methods»,
https://arxiv.org/abs/2202.00449. What is removed is imputed from its neighbours."""

from __future__ import annotations

from core.checks.definitions.base import Direction
from core.checks.definitions.orders import OrderCheck


class RoadMoRF(OrderCheck):
    """MoRF: what the map marks most is imputed first; the further the score falls, the better the order."""

    name = "road-morf"
    title = "ROAD, most relevant first (MoRF)"
    direction = Direction.LOWER
    part = "road"
    kind = "most relevant first"
    short = "MoRF"
    axis = "removed, most relevant first (MoRF)"
    does = "Imputing what {marker} marks most lowers the {score} further than"
    does_not = "Imputing what {marker} marks most does not lower the {score} further than"


class RoadLeRF(OrderCheck):
    """LeRF: what the map marks least is imputed first; the better the score is spared, the better the order."""

    name = "road-lerf"
    title = "ROAD, least relevant first (LeRF)"
    direction = Direction.HIGHER
    part = "road"
    kind = "least relevant first"
    short = "LeRF"
    axis = "removed, least relevant first (LeRF)"
    does = "Imputing what {marker} marks least spares the {score} better than"
    does_not = "Imputing what {marker} marks least does not spare the {score} better than"
