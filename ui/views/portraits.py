"""The portraits under «Try a photo», for who has none at hand: one click each."""

from __future__ import annotations

from functools import cache

import streamlit as st
from PIL import Image

from core.photo.portraits import CREDIT, Portrait, drawn, portraits
from core.photo.uploads import shrunk_to
from core.present.figures import photo as figures
from core.present.figures import raster
from core.present.text import escape
from ui.views.photo import Result, Tools, try_image
from ui.views.photo_style import STRIP
from ui.widgets import controls, terms


def choose_portrait() -> Portrait | None:
    """Without a photo: draw the portraits that come with Lookwhere, and the one chosen; None where none is."""
    offered = portraits()
    strip = "".join(
        f"<figure><img src='{_thumbnail(portrait)}' alt='{escape.in_html(portrait.words)}'>"
        f"<figcaption>{n}</figcaption></figure>"
        for n, portrait in enumerate(offered, 1)
    )
    st.html(f"{STRIP}<div class='lw-strip'>{strip}</div>")
    numbers = dict(enumerate(offered, 1))
    choice = controls.pills(
        "Or try a portrait", list(numbers), format_func=lambda n: f"{n}: {numbers[n].words}", key="portrait"
    )
    terms.caption(f"{CREDIT}.")
    return None if choice is None else numbers[choice]


@cache
def _thumbnail(portrait: Portrait) -> str:
    with Image.open(portrait.file) as opened:
        return raster.data_uri(shrunk_to(opened.convert("RGB"), 96))


def try_portrait(portrait: Portrait, ready: Tools) -> Result:
    """What the model says of a portrait: as it was kept beside the weights, else computed now."""
    before = drawn(ready.folder, ready.info.weights_sha256).get(portrait.id)
    if before is None:
        with st.spinner("Looking for faces …"):
            return try_image(portrait.file.read_bytes(), f"portrait «{portrait.words}»", ready)
    with Image.open(portrait.file) as opened:
        photo = opened.convert("RGB")
    image = shrunk_to(photo, figures.SIDE)
    return Result(
        name=f"portrait «{portrait.words}»",
        head=f"<b>{escape.in_html(portrait.words)}</b> <span>{escape.in_html(CREDIT)}</span>",
        image=image,
        scale=image.width / photo.width,
        faces=(before.face,),
        readings=(before.prediction,),
        maps=before.maps,
        bias=before.bias,
    )
