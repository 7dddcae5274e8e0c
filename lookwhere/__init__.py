"""Lookwhere: for whom does a face classifier fail, and where in the face does it look when it does?"""

__version__ = "0.1.0"
