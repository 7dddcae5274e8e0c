"""The words on where cells lie, in each case that there is."""

from __future__ import annotations

from types import SimpleNamespace

from core.classifiers.info import MapsInfo, MirrorInfo, PlacementInfo
from core.explain.placement import Placement
from core.present.text.placement import audit_placement, placement_words, sides_words
from core.present.text.tables import audit_report
from tests.helpers.made_audit import made_audit


def maps(placement: Placement | None, mirror: MirrorInfo | None = None) -> MapsInfo:
    record = None if placement is None else PlacementInfo.from_placement(placement)
    info = MapsInfo(method="GradCAM", additive=False, placement=record, mirror=mirror)
    assert MapsInfo.from_json(info.to_json()).placement == record
    return info


def test_words_say_how_far_cells_lie_from_tiles_and_what_the_mirror_test_found() -> None:
    test = MirrorInfo(faces=64, placed=0.05, tiles=0.41)
    assert placement_words(maps(None)) == ""
    corner = Placement(*2 * ((0.5, 28.5, 56.5, 84.5),))
    assert placement_words(maps(corner, test)) == (
        "Cells are drawn, and given to regions, by their measured centres, up to 14 of 112 pixels from even tiles. "
        "Mirror test: the mean map of 64 faces and their mirror images is 5.0 % off its own mirror image (41.0 % if "
        "drawn as tiles), so left–right differences of averages can be the network's own and are not interpreted."
    )
    tiles = MirrorInfo(faces=16, placed=0.05, tiles=0.05)
    assert placement_words(maps(Placement.tiles((7, 7)), tiles)) == (
        "Cells lie as even tiles do, to a quarter of a cell, as measured with the network. Mirror test: the mean map "
        "of 16 faces and their mirror images is 5.0 % off its own mirror image, so left–right differences of averages "
        "can be the network's own and are not interpreted."
    )


def test_left_and_right_are_marked_as_not_interpreted_wherever_there_are_maps() -> None:
    audit = SimpleNamespace(has_maps=True, manifest=SimpleNamespace(maps=None))
    assert sides_words(audit).endswith("how evenly it looks at both sides was not measured.")
    audit.manifest.maps = maps(Placement.tiles((7, 7)), MirrorInfo(faces=16, placed=0.194, tiles=0.2))
    assert sides_words(audit) == (
        "Left–right differences of average maps are not interpreted, as they can be the network's own: over 16 faces "
        "and their mirror images, its mean map is 19.4 % off its own mirror image."
    )
    assert sides_words(SimpleNamespace(has_maps=False)) == ""


def test_an_audit_whose_method_is_registered_no_more_is_told_of() -> None:
    """Its report was a traceback."""
    audit = made_audit(120, manifest={"maps": {"method": "Gone", "additive": False}})
    assert audit_placement(audit) in audit_report(audit)
    assert audit_placement(audit)
