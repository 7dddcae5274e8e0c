"""Where the cells of an audit's maps lie: measured with the network, tested on some faces, kept in its manifest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from core.audit.folder import Audit, open_audit
from core.classifiers.classifier import mirror_tested
from core.classifiers.folder import Model
from core.classifiers.info import MapsInfo, PlacementInfo
from core.data.store import AlignedStore
from core.explain.methods import UNTOLD
from core.files import write_json

#: Faces, and their mirror images, of the mirror test.
MIRRORED = 32


def placed_maps(maps: MapsInfo | None, model: Model, store: AlignedStore, faces: pd.DataFrame) -> MapsInfo | None:
    """What is known of the maps, with where their cells lie, and the mirror test of it on some of the audited `faces`.

    As given where there are no maps, or the method hides tiles.
    """
    if maps is None or model.classify is None or model.classify.placement is None:
        return maps
    rows = faces["row"].to_numpy()
    some = np.sort(rows[np.linspace(0, len(rows) - 1, min(MIRRORED, len(rows))).round().astype(int)])
    mirror = mirror_tested(model.classify, store.images[some])
    return replace(maps, placement=PlacementInfo.from_placement(model.classify.placement), mirror=mirror)


def with_placement(audit: Audit, model: Model, store: AlignedStore, faces: pd.DataFrame) -> Audit:
    """A finished audit, its cells measured now where its manifest does not say where they lie."""
    stored_maps = audit.manifest.maps
    if not audit.has_maps or (stored_maps and stored_maps.placement and stored_maps.mirror):
        return audit
    maps = placed_maps(stored_maps or MapsInfo.from_json(UNTOLD), model, store, faces)
    if maps is None or maps.placement is None or maps == stored_maps:
        return audit
    write_json(audit.path / "audit.json", replace(audit.manifest, maps=maps).to_json())
    return open_audit(audit.path)
