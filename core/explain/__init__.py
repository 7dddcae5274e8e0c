"""Explain: attribution methods, maps, grids, regions."""
