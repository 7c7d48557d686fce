"""Transformers, UPS, photovoltaics."""
