"""Faults that machines report themselves."""
