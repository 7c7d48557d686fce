"""Learned baselines: what a meter usually takes, and days and levels that are out of it."""
