"""Results → charts as data (`chart_data`) and images (PIL). No Streamlit.

`chart_data` says what a chart holds, and refuses a value outside its interval. The builders make charts from tables:
`charts` (accuracy, training), `gaps`, `findings`, `evidence`, `faces`, `paired`, `photo`, `trust`. `plotly_charts`
draws them for the pages and print, `core.present.report.blocks` for the report. `raster` and `differences` paint
maps.
"""
