"""How large the gaps between groups are, which are more than chance, and the part of age and label noise in them."""

from core.present.text.gaps import gap_sentence
from core.present.text.sentences import scope
from ui.shell.page import page
from ui.views import gaps as gaps_view
from ui.views.measured_terms import show_measured_terms

with page(outcome=False) as p:
    grouping = gaps_view.choose_grouping(p)
    result = gaps_view.group_gaps(p.audit, p.filter, grouping, p.threshold)
    p.headline(gap_sentence(result.largest, scope(p.filter), p.number))
    gaps_view.say_counted(p, grouping)
    p.add_data_notes()
    gaps_view.show_simultaneous(result)
    gaps_view.show_tests(result)
    gaps_view.show_age(p.audit, p.filter, p.threshold)
    show_measured_terms(p.audit, p.filter, p.threshold)
    gaps_view.show_power(p.audit, p.faces, grouping, p.threshold)
    gaps_view.show_fairness(p.audit, p.filter, p.threshold)
    gaps_view.show_label_noise(p.audit, p.filter, p.threshold, grouping)
