"""Sumps, pumps and drains."""
