"""What this is, how to read an average heatmap and how not, the original study, and a glossary."""

from ui.shell.page import page
from ui.views.about import show_about

with page(filter_bar=False) as p:
    show_about(p)
