"""Which region of the face the margin comes from: two groups' evidence, and the way from one to the other."""

from ui.shell.page import page
from ui.views import evidence as evidence_view
from ui.widgets.group_picker import choose_groups

with page() as p:
    groups = [(group.letter, group.filter) for group in choose_groups(p.audit, p.filter, 2)]
    waterfall = evidence_view.between(p.audit, groups)
    p.headline(evidence_view.sentence(p.audit, groups, waterfall))
    evidence_view.add_notes(p, groups)
    evidence_view.show_regions_and_waterfall(p.audit, p.filter, waterfall)
    evidence_view.show_groups(p.audit, groups)
    evidence_view.show_across(p.audit, p.filter)
