"""Savings that a building's past shows: what to do, what it would bring, and what of it overlaps."""
