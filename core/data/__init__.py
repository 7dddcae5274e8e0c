"""Data: readers, sources, splits, alignment and the aligned store."""
