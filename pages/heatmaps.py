"""Two or more groups side by side: average face, average Grad-CAM, overlay, and the difference of their maps."""

from core.present.text.sentences import heatmap_sentence
from ui.shell.page import page
from ui.views import heatmap_panels
from ui.views import map_differences as map_differences_view
from ui.widgets.group_picker import choose_groups

with page() as p:
    controls = heatmap_panels.choose_maps(p.audit.task)
    groups = heatmap_panels.average_groups(p.audit, choose_groups(p.audit, p.filter, controls.count), controls)
    heatmap_panels.show_groups(p.audit, groups, controls)
    differences = map_differences_view.show_differences(
        p.audit, [(averaged.letter, averaged.group) for averaged in groups], controls
    )
    p.headline(
        " ".join(
            [
                heatmap_sentence(
                    [averaged.group for averaged in groups], controls.target, p.audit.map_words, p.audit.task
                ),
                map_differences_view.verdict(differences),
            ]
        ).strip()
    )
    heatmap_panels.offer_sheet(p.audit, groups, differences, controls)
