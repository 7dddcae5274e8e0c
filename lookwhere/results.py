"""What the functions for notebooks return: small frozen objects with a sentence, a table and a figure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from html import escape

import pandas as pd
import plotly.graph_objects as go

#: Rows of a table that a notebook shows unasked.
SHOWN = 12


class Result(ABC):
    """A result: `sentence`, `to_frame()`, `plot()`. A notebook shows the sentence and the first rows."""

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What was found, in words and numbers."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """The numbers, a copy."""

    @abstractmethod
    def plot(self) -> go.Figure:
        """The numbers as a Plotly figure."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.sentence}"

    def _repr_html_(self) -> str:
        table = self.to_frame()
        more = f"<p>… {len(table) - SHOWN} more rows: <code>to_frame()</code></p>" if len(table) > SHOWN else ""
        # Names come from data: both escape them.
        return f"<p>{escape(self.sentence)}</p>{table.head(SHOWN).to_html(index=False, escape=True)}{more}"
