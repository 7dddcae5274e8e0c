"""Which region of the face the margin comes from: two groups' evidence, and the way from one to the other."""

from ui import evidence
from ui.compare import choose_groups
from ui.page import page

with page() as p:
    groups = [(one.letter, one.filter) for one in choose_groups(p.audit, p.filter, 2)]
    found = evidence.between(p.audit, groups)
    p.headline(evidence.sentence(p.audit, groups, found))
    evidence.add_notes(p, groups)
    evidence.show_regions_and_waterfall(p.audit, p.filter, found)
    evidence.show_groups(p.audit, groups)
