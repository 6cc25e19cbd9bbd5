"""Measurements: each beside its floor, in one run. Numbers in documents come from these commands."""
