"""Mains water."""
