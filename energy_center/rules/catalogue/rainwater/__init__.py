"""Rainwater tanks and water use."""
