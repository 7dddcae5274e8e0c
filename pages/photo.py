"""An image of one's own: the faces in it, what the model says of each, where it looks, and how sure it is."""

from ui.shell.page import page
from ui.views import photo as photo_view
from ui.views.portraits import choose_portrait, try_portrait

with page(filter_bar=False) as p:
    tools = photo_view.load_tools(p)
    files = photo_view.choose_files(tools.info.task)
    portrait = None if files else choose_portrait()
    audit = photo_view.comparable_audit(p.opened, tools)
    results = photo_view.predict(files, p.opened, tools, audit)
    if portrait is not None:
        results = [try_portrait(portrait, tools)]
    p.headline(photo_view.sentence(p.opened, results, audit))
    photo_view.show_results(results, audit)
