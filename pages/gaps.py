"""How large the gaps between groups are, which are more than chance, and the part of age and label noise in them."""

from core.present.text.gaps import gap_sentence
from core.present.text.sentences import scope
from ui import gaps
from ui.page import page

with page(outcome=False) as p:
    grouping = gaps.choose_grouping(p)
    result = gaps.group_gaps(p.audit, p.filter, grouping)
    p.headline(gap_sentence(result.largest, scope(p.filter), len(p.faces)))
    p.add_data_notes()
    gaps.show_simultaneous(result)
    gaps.show_tests(result)
    gaps.show_age(p.audit, p.filter)
    gaps.show_power(p.faces, grouping)
    gaps.show_fairness(p.audit, p.filter)
    gaps.show_label_noise(p.audit, p.filter)
