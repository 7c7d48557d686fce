"""Randomness that is the same in every run."""

import random


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  spreads load, guards nothing
