"""Labels that may be wrong: how many, what they would change, and the faces for a person to decide on."""

from ui.shell.page import page
from ui.views.suspects import show_suspects

with page(outcome=False) as p:
    show_suspects(p)
