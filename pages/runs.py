"""Work started from here: a data set attached, looked at, aligned, audited, checked; training and importing too."""

from ui.shell.page import page
from ui.views.run_forms import show_forms
from ui.views.run_list import jobs_sentence, show_jobs
from ui.views.runs import need_permission

with page(filter_bar=False) as p:
    p.headline(jobs_sentence())
    need_permission()
    show_jobs()
    show_forms(p.opened)
