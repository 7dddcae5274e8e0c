"""The original study on open data: trained on one data set, validated on a second, tested on a third; and on more."""

from core.present.text import repeated as words
from ui.shell.page import page
from ui.views import diversity, repeated

with page(filter_bar=False) as p:
    if repeated.choose_part() == repeated.DIVERSITY:
        diversity.show(p)
    else:
        study = repeated.open_or_say(p)
        test = repeated.choose_test(study)
        table = repeated.figures_of(study, test)
        p.set_scope(study.adults(test).describe(), repeated.audits_of(study, test))
        p.headline(words.headline(study, test, table))
        p.caption(words.CAUTION)
        repeated.show_protocol(study, test)
        repeated.show_figures(study, table)
        repeated.show_claims(study, test)
        repeated.show_pictures(study)
        repeated.show_sources(study)
