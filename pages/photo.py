"""A picture of one's own: the faces in it, what the model says of each, where it looks, and how sure it is."""

from ui import photo
from ui.page import page

with page(filter_bar=False) as p:
    tools = photo.load_tools(p)
    files = photo.choose_files()
    audit = photo.comparable_audit(p.opened, tools)
    results = photo.predict(files, p.opened, tools)
    p.headline(photo.sentence(p.opened, results, audit))
    photo.show_results(results, tools, audit)
