"""A picture of one's own: the faces in it, what the model says of each, where it looks, and how sure it is."""

import streamlit as st

from core.errors import LookwhereError
from core.figures import pictures
from core.photo import words
from ui import parts, photo
from ui.navigation import opened

st.title("Try a photo")
above = st.container()
ready = photo.tools(opened())
if ready.classify is None:
    with above:
        parts.lede(f"Only the predictions of {opened().model} were imported, not the model: no photo can be tried.")
    st.info("Import the model itself with `python -m core import`, or choose another one in the sidebar.")
    st.stop()

files = photo.choose()
st.caption(photo.PLAIN)
audit = None
try:
    audit = photo.comparable(opened().load() if opened().audit else None, ready)
except LookwhereError as error:
    st.warning(parts.plain(f"No comparison with audited faces: {error}."))

tried = photo.results(files, opened(), ready)
readings = [reading for result in tried for reading in result.readings]
with above:
    if tried:
        alone = photo.placed(audit, readings[0]) if len(readings) == 1 else None
        whole = [(result.name, list(result.readings)) for result in tried if not result.error]
        parts.lede(words.lede(whole, len(tried) - len(whole), alone))
    else:
        n, wrong = (None, None) if audit is None else (len(audit.faces), int((~audit.faces["correct"]).sum()))
        parts.lede(words.invitation(opened().model, n, wrong))

target, opacity = photo.controls(readings)
limit = pictures.shared_limit([reading.map(target) for reading in readings if reading.evidence is not None])
for n, result in enumerate(tried):
    photo.show(n, result, ready, audit, target, opacity, limit)
if any(reading.evidence is not None for reading in readings):
    note = f"logits a cell, {ready.classify.maps['method']}; one scale for all faces here."
    st.html(parts.STYLE + parts.scale(target == "margin", limit, note))
