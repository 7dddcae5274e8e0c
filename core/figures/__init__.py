"""Arrays and tables → pictures (`pictures`, PIL) and charts (`charts`, Plotly). No Streamlit."""
