"""Tested differences as images: cells that survive are outlined on the map, others hatched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from core.analysis.maps.differences import MapDifference
from core.explain.placement import Placement, placed
from core.present.figures import raster
from core.present.figures.chart_data import MapChart, MapPanel, Scale
from core.template import SIDE

_DARK, _LIGHT = (12, 12, 16, 255), (255, 255, 255, 210)


def outlined(image: Image.Image, mask: np.ndarray, placement: Placement | None = None) -> Image.Image:
    """A copy of a map's image in which the cells of `mask`, bool (h, w), have borders: thin between two of them,
    thick and edged in white around them, to be seen on dark and light. The other cells are hatched."""
    h, w = mask.shape
    width, height = image.size
    down, across = (edges / SIDE for edges in placed(mask.shape, placement).edges)
    framed = np.pad(mask, 1)
    thick = max(2, width // 110)
    halo, line, grid = (Image.new("RGBA", image.size) for _ in range(3))
    pens = [ImageDraw.Draw(layer) for layer in (halo, line, grid)]

    def at(row: int, column: int) -> tuple[int, int]:
        # The outermost borders lie inside the image.
        edge = thick // 2 + 1
        x, y = round(across[column] * width), round(down[row] * height)
        return min(max(x, edge), width - 1 - edge), min(max(y, edge), height - 1 - edge)

    def border(start: tuple[int, int], end: tuple[int, int], here: bool, there: bool) -> None:
        if here != there:
            pens[0].line([start, end], _LIGHT, thick + 4)
            pens[1].line([start, end], _DARK, thick)
        elif here:
            pens[2].line([start, end], (*_DARK[:3], 90), 1)

    for r in range(h + 1):
        for c in range(w + 1):
            if c < w:
                border(at(r, c), at(r, c + 1), bool(framed[r, c + 1]), bool(framed[r + 1, c + 1]))
            if r < h:
                border(at(r, c), at(r + 1, c), bool(framed[r + 1, c]), bool(framed[r + 1, c + 1]))
    result = image.convert("RGBA")
    for layer in (_hatching(image.size, mask, down, across), grid, halo, line):
        result = Image.alpha_composite(result, layer)
    return result.convert("RGB")


def _hatching(size: tuple[int, int], mask: np.ndarray, down: np.ndarray, across: np.ndarray) -> Image.Image:
    """Fine diagonals over the cells outside `mask`, whose borders are shares of the height and of the width."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    step = max(6, width // 40)
    rows = np.searchsorted(down[1:-1] * height, y, side="right")
    columns = np.searchsorted(across[1:-1] * width, x, side="right")
    lines = ((x + y) % step < max(1, step // 6)) & ~mask[rows, columns]
    layer = np.zeros((height, width, 4), dtype=np.uint8)
    layer[lines] = (96, 96, 104, 120)
    return Image.fromarray(layer)


def difference_panel(difference: MapDifference, caption: str = "", alt: str = "") -> MapPanel:
    """A tested difference as a panel: cells that survive are outlined, none where nothing was tested; no map of under
    11 faces."""
    if not np.isfinite(difference.difference).all():
        return MapPanel(None, caption, alt, why="too few faces")
    return MapPanel(
        difference.difference,
        caption,
        alt,
        None if difference.abstained else difference.significant,
        placement=difference.placement,
    )


def difference_maps(
    differences: Sequence[MapDifference], captions: Sequence[str], alts: Sequence[str], note: str
) -> MapChart:
    """Tested differences side by side on one scale, whose `note` says what its colours mean."""
    panels = tuple(difference_panel(*parts) for parts in zip(differences, captions, alts, strict=True))
    limit = raster.shared_limit([panel.values for panel in panels])
    return MapChart(panels, (Scale(limit, True, f"−{limit:.3g}", f"{limit:.3g}", note),))


def panel_image(panel: MapPanel, scale: Scale, side: int = raster.PANEL) -> Image.Image:
    """A panel painted on a scale: cells that survive outlined, the others hatched, neither where nothing was tested."""
    if panel.values is None:
        return raster.placeholder(panel.why, side)
    image = raster.paint(panel.values, scale.limit, scale.signed, side, panel.placement)
    return image if panel.outlined is None else outlined(image, panel.outlined, panel.placement)


def panel_images(chart: MapChart, side: int = raster.PANEL) -> list[Image.Image]:
    """All panels of a chart, each on its scale."""
    return [panel_image(panel, chart.scales[panel.scale], side) for panel in chart.panels]


def map_sheet(chart: MapChart, side: int = raster.PANEL) -> raster.Sheet:
    """A chart's panels with captions and scales, for print."""
    panels = list(zip(panel_images(chart, side), [panel.caption for panel in chart.panels], strict=True))
    return raster.Sheet([("", panels)], [(scale.signed, scale.low, scale.high) for scale in chart.scales], chart.note)


def painted(difference: MapDifference, limit: float, side: int = raster.PANEL) -> Image.Image:
    """A difference painted from −`limit` to `limit`: surviving cells outlined, others hatched, neither where
    nothing was tested; a grey panel under 11 faces."""
    return panel_image(difference_panel(difference), Scale(limit, True, "", ""), side)
