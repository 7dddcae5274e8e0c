"""Gaps between groups: simultaneous intervals, tests, regression on age, power, fairness measures."""
