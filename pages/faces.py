"""The faces behind a group, one by one with their maps, where their pictures are at hand; and the kinds of wrong."""

import streamlit as st

from core.browse import faces_sentence
from ui import faces, parts, takeaway
from ui.filters import filter_bar
from ui.navigation import opened

audit = opened().load()
st.title("Faces")
above = st.container()
within = filter_bar(audit)
takeaway.of(within.narrowed(outcome="all").describe())
with above:
    if not within.mask(audit.faces).any():
        parts.lede(faces_sentence(audit, within))
        parts.empty(0)

# The kinds stand below the faces, which can be listed by them.
single, below = st.container(), st.container()
with below:
    found = faces.choose_kinds(audit, within)
with above:
    parts.lede(faces_sentence(audit, within, found.verdict if found and found.n else ""))
shots, looked = faces.attached(audit)
with single:
    if shots is None:
        faces.how_to_attach(audit, opened().info(), looked)
    else:
        faces.browser(audit, within, found, shots)
        faces.open_record(audit, shots)
with below:
    if found:
        faces.show_kinds(audit, found, shots)
