"""Devices that are silent and sensors that cannot be trusted."""
