"""One upload tried, and what holds for each."""

from __future__ import annotations

import numpy as np

from core.errors import LookwhereError
from core.photo import uploads
from core.photo.uploads import clean_name, read_upload
from tests.helpers.hostile import PICTURE, REFUSED, File


def tried(file: File) -> tuple[str, str]:
    """What became of a file, and what was said; checks what holds for every picture and every refusal."""
    try:
        upload = read_upload(file.data, file.name)
    except LookwhereError as error:
        message = str(error)
        assert message.startswith(f"{clean_name(file.name)}: ")
        assert message.isprintable()
        assert len(message) < 250
        return REFUSED, message
    assert upload.picture.mode == "RGB"
    assert max(upload.picture.size) <= uploads.KEPT_SIDE
    assert "".join(upload.notes).isprintable()
    assert np.asarray(upload.picture).shape[2] == 3
    return PICTURE, "; ".join(upload.notes)
