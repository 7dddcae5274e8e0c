"""Readers of files by others, fed with what no writer writes: `make fuzz`."""
