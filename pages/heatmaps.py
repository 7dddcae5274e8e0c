"""Two or more groups side by side: average face, average Grad-CAM, overlay, and the difference of their maps."""

from core.present.text.sentences import heatmap_sentence
from ui import differences, panels
from ui.compare import choose_groups
from ui.page import page

with page() as p:
    controls = panels.choose_maps()
    groups = panels.average_groups(p.audit, choose_groups(p.audit, p.filter, controls.count), controls)
    panels.show_groups(p.audit, groups, controls)
    found = differences.show_differences(p.audit, [(one.letter, one.group) for one in groups], controls)
    p.headline(
        " ".join(
            [
                heatmap_sentence([one.group for one in groups], controls.target, p.audit.map_words),
                differences.verdict(found),
            ]
        ).strip()
    )
    panels.offer_sheet(p.audit, groups, found, controls)
