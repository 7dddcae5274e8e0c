"""Lookwhere's engine: for whom does a face classifier fail, and where in the face does it look when it does?

Nothing in here knows of Streamlit; every function can be used from a script or a notebook.
"""
