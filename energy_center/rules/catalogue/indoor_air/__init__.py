"""Rooms: air, temperature, set-points."""
