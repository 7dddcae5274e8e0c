"""A run as it goes on, or as it went: state, curves, the epoch kept, the config."""

from ui.shell.page import page
from ui.views.training import show_configuration, show_run

with page(filter_bar=False) as p:
    p.set_scope("those of training and validation")
    show_run(p.opened)
    show_configuration(p.opened)
