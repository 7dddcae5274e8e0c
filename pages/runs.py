"""Work started from here: a data set attached, looked at, aligned, audited, checked; training and importing too."""

from ui.shell.page import page
from ui.views.run_forms import show_forms
from ui.views.run_list import jobs_sentence, show_jobs
from ui.views.runs import need_permission

with page(filter_bar=False) as p:
    headline = jobs_sentence()
    p.headline(headline)
    need_permission()
    show_jobs(headline)
    show_forms(p.opened)
