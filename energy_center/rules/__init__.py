"""Anomaly rules: pure, vectorised detection over frames of readings."""
