"""Ready-made classifiers of others beside ours, on the same faces of two data sets: for whom each of them fails."""

from ui.shell.page import page
from ui.views import board

with page(filter_bar=False) as p:
    models, filter = board.open_or_say(p), board.ADULTS
    data = board.choose_data(models)
    p.set_scope(filter.describe())
    p.headline(board.headline(models, data, filter))
    p.caption(board.CAUTION)
    board.show_summary(models, data, filter)
    board.show_groups(models, data, filter)
    board.show_pairs(models, data, filter)
    board.show_answers(models, data, filter)
    board.show_maps(models, data)
    board.show_seen(models, filter)
    board.show_sources(models)
