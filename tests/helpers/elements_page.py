"""A page of what pages show of Streamlit's own, code in all colours among it, under the app's style sheet."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[2]))
from ui.shell import screen

screen.apply()
st.caption("A caption with `code`, a [link](https://example.org) and **bold**.")
st.code(
    """# a comment
python -m core audit --model 'a b' --data $HOME/x | grep -v "x" && for i in 1 2; do echo ${i}; done > /dev/null 2>&1
export A=1; if [ -f x ]; then cd ..; fi
""",
    language="bash",
)
st.code("a: 1\nb: [x, true, null]\n# c\n- d: 'x'\n", language="yaml")
st.subheader("One")
st.dataframe(pd.DataFrame({"a": [1, 2], "b": [3, 4]}))
st.subheader("Two")
st.dataframe(pd.DataFrame({"a": range(200), "b": range(200)}), height=200)
st.subheader("Three")
st.plotly_chart(go.Figure(go.Bar(x=["left", "right"], y=[1, 2])))
st.html("<p class='lw-headline'>Drawn</p>")
