"""The same faces under two or more models: whom a change helped, whom it harmed, and where the model looks now."""

from core.present.text import escape
from ui.shell.page import page
from ui.views import comparison as comparison_view
from ui.views import comparison_choice
from ui.views.comparison_more import report_button, show_all_models

with page(filter_bar=False) as p:
    choice = comparison_choice.choose_models(p)
    p.draw_filter_bar(comparison_choice.first_audit(choice), outcome=False)
    shared = comparison_choice.common(p, choice)
    comparison_choice.need_faces(p, shared)
    p.set_scope(p.filter.describe(), [candidate.path for candidate in choice.models])
    tables = comparison_choice.paired_tables(choice, p.filter)
    contrast = comparison_choice.contrast_of(choice, p.filter)
    p.headline(comparison_view.sentence(choice, tables, contrast, p.filter))
    if choice.claim is not None and choice.claim.question:
        p.caption(escape.markdown(choice.claim.question))
    comparison_view.show_differences(choice, tables)
    comparison_view.show_where_it_looks(choice, next(iter(tables.values())), contrast, p.filter)
    comparison_view.show_all_seeds(choice, contrast, p.filter)
    comparison_view.show_all_groups(choice, tables, p.filter)
    report_button(choice, p.filter.any_age)
    show_all_models()
