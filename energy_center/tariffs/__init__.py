"""Electricity prices as dated data, and pricing."""
