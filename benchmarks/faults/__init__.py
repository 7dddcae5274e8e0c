"""Faults put into the commands that write something, and what comes of them: `python -m benchmarks.faults`."""
