"""How much of each group's gap goes with what the image says, what is left, and slices that surely fare worse."""

from ui.shell.page import page
from ui.views import image as image_view

with page(outcome=False) as p:
    explanation = image_view.explained_or_say(p)
    image_view.show_parts(p, explanation)
    image_view.show_thirds(explanation)
    image_view.show_slices(p)
