"""What this model is, for whom it fails, and the original study's grid of average faces and Grad-CAMs."""

from core.present.text.sentences import accuracy_sentence
from ui.shell.extremes import extremes_of
from ui.shell.page import page
from ui.views import overview
from ui.views.data_sets import show_data_sets

with page(outcome=False) as p:
    overview.show_what_this_is(p)
    p.headline(accuracy_sentence(p.counted(), p.filter, p.threshold, extremes_of(p.audit, p.filter, p.threshold)))
    overview.method_caption(p)
    overview.show_numbers(p)
    show_data_sets(p)
    overview.show_study_grid(p.audit, p.filter, p.threshold)
    overview.offer_accuracy(p)
    overview.show_model(p.opened, p.audit)
