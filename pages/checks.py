"""Checks of the maps: random weights, deletion and insertion, ROAD, hidden regions, other methods."""

from core.present.text.checks import plain_answer, sentence
from ui.shell.page import page
from ui.views.checks import choose_view, load_checks, show_checks, show_how_made

with page(filter_bar=False) as p:
    results = load_checks(p.opened, p.audit)
    view = choose_view(results)
    p.set_scope(f"{view.group}, in a sample of the audit")
    p.headline(plain_answer(results, view) or sentence(results, view))
    p.caption(sentence(results, view))
    if not results.manifest.finished:
        p.warning("These checks were stopped before they were done; the command at the foot of the page goes on.")
    show_checks(p.audit, results, view)
    show_how_made(p.opened, p.audit, results)
