"""Deletion and insertion: Petsiuk et al. 2018, «RISE», https://arxiv.org/abs/1806.07421."""

from __future__ import annotations

from core.checks.definitions.base import Direction
from core.checks.definitions.orders import OrderCheck


class Deletion(OrderCheck):
    """Pixels are taken from the face in the map's order: the faster the score falls, the better the order."""

    name = "deletion"
    title = "Deletion"
    direction = Direction.LOWER
    part = "deletion"
    kind = "deletion"
    short = "deletion"
    axis = "pixels deleted"
    does = "Deleting what {marker} marks lowers the {score} faster than"
    does_not = "Deleting what {marker} marks does not lower the {score} faster than"
    leads = True


class Insertion(OrderCheck):
    """Pixels are put into a blurred face in the map's order: the faster the score rises, the better the order."""

    name = "insertion"
    title = "Insertion"
    direction = Direction.HIGHER
    part = "deletion"
    kind = "insertion"
    short = "insertion"
    axis = "pixels inserted"
    does = "Inserting what {marker} marks raises the {score} faster than"
    does_not = "Inserting what {marker} marks does not raise the {score} faster than"
