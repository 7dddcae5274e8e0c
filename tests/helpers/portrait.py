"""A photo with one face."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

#: Grace Hopper: public domain, and on every machine that has matplotlib, which grad-cam needs.
PORTRAIT = Path(mpl.get_data_path()) / "sample_data/grace_hopper.jpg"
