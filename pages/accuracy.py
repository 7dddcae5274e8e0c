"""Accuracy by gender, ethnicity, their intersection and age, with intervals; confusion, ROC, calibration."""

from core.present.text.sentences import accuracy_sentence
from ui.shell.extremes import extremes_of
from ui.shell.page import page
from ui.views import accuracy
from ui.views.abstention import show_abstention
from ui.views.accuracy_curves import show_curves
from ui.views.data_sets import show_data_sets
from ui.views.group_statistics import show_statistics
from ui.views.otherwise import show_otherwise
from ui.widgets.threshold import threshold_for

with page(outcome=False) as p:
    threshold = threshold_for(p.audit)
    p.set_scope(f"{p.filter.describe()}; «{p.audit.task.label(p.audit.task.positive)}» from p = {threshold:.2f} on")
    p.headline(accuracy_sentence(p.counted(threshold), p.filter, threshold, extremes_of(p.audit, p.filter, threshold)))
    p.add_data_notes()
    by = accuracy.show_groups(p, threshold)
    show_abstention(p, threshold, by)
    show_curves(p.audit, p.filter)
    show_statistics(p.audit, p.filter)
    show_otherwise(p.audit, p.filter)
    show_data_sets(p)
    accuracy.show_original_study(p.audit, p.counted(threshold), threshold)
