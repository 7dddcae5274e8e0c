"""The same faces under two or more models: whom a change helped, whom it harmed, and where the model looks now."""

from ui import models, paired
from ui.page import page

with page(filter_bar=False) as p:
    choice = models.choose_models(p)
    p.draw_filter_bar(models.first_audit(choice), outcome=False)
    p.set_scope(p.filter.describe(), [one.path for one in choice.models])
    tables = models.paired_tables(choice, p.filter)
    contrast = models.contrast_of(choice, p.filter)
    p.headline(paired.sentence(choice, tables, contrast, p.filter))
    if choice.claim is not None and choice.claim.question:
        p.caption(choice.claim.question)
    paired.show_differences(choice, tables)
    paired.show_where_it_looks(choice, next(iter(tables.values())), contrast, p.filter)
    paired.show_all_seeds(choice, contrast, p.filter)
    paired.show_all_groups(tables)
