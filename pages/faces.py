"""The faces behind a group, one by one with their maps, where their images are at hand; and the error clusters."""

import streamlit as st

from core.present.text.faces import faces_sentence
from ui.shell.page import page
from ui.views.error_clusters import choose_error_clusters, show_error_clusters
from ui.views.faces import audit_images_of, show_faces

with page() as p:
    p.set_scope(p.filter.narrowed(outcome="all").describe())
    above = st.container()  # the faces can be listed by the clusters, which stand below them
    clusters = choose_error_clusters(p.audit, p.filter)
    p.headline(faces_sentence(p.audit, p.filter, clusters.verdict if clusters and clusters.n else ""))
    images, looked = audit_images_of(p.audit)
    show_faces(p, above, clusters, images, looked)
    show_error_clusters(clusters, images, p.audit.task)
