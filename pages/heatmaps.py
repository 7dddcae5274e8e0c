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
    lettered = [(averaged.letter, averaged.group) for averaged in groups]
    differences = map_differences_view.show_differences(p.audit, lettered, controls)
    in_order = [group for _, group in lettered]
    sentence = heatmap_sentence(in_order, controls.target, p.audit.map_words, p.audit.task)
    p.headline(f"{sentence} {map_differences_view.verdict(differences)}".strip())
    heatmap_panels.offer_sheet(p.audit, groups, differences, controls)
