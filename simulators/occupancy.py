"""People in the houses and what they switch on, by hour of working days and days off."""

import numpy as np

from simulators.chunk import Chunk
from simulators.signals import Floats

# Local hour and share of the head count in the house; offices open 8:00-17:30 with a nap from 12:00 to 13:30.
PEOPLE_H = (0.0, 5.7, 6.8, 7.6, 8.3, 9.0, 11.9, 12.3, 13.1, 13.6, 17.0, 17.7, 18.6, 20.5, 22.0, 24.0)
PEOPLE = (0.0, 0.0, 0.01, 0.25, 0.82, 0.93, 0.93, 0.62, 0.62, 0.92, 0.90, 0.55, 0.16, 0.05, 0.01, 0.0)
LIGHTS_H = (0.0, 6.4, 7.3, 8.2, 11.95, 12.15, 13.2, 13.5, 17.4, 18.6, 19.5, 21.5, 23.0, 24.0)
LIGHTS = (0.06, 0.06, 0.35, 0.97, 1.0, 0.55, 0.55, 1.0, 1.0, 0.62, 0.30, 0.14, 0.06, 0.06)
WEEKEND_H = (0.0, 7.0, 8.0, 9.5, 12.0, 13.5, 16.5, 18.0, 24.0)
WEEKEND_PEOPLE = (0.0, 0.0, 0.01, 0.045, 0.03, 0.045, 0.04, 0.005, 0.0)
WEEKEND_LIGHTS = (0.06, 0.06, 0.07, 0.15, 0.13, 0.15, 0.14, 0.06, 0.06)


def _by_day(chunk: Chunk, stream: str, open_day: tuple[tuple[float, ...], ...], shift_h: float) -> Floats:
    hours_open, level_open, hours_off, level_off = open_day
    hours = chunk.hours + shift_h * chunk.noise(f"{stream}-shift", 86_400.0)
    levels: Floats = np.where(
        chunk.is_working > 0,
        np.interp(hours, hours_open, level_open),
        np.interp(hours, hours_off, level_off),
    )
    return levels


def people_share(chunk: Chunk, stream: str) -> Floats:
    """Return the share of the head count present, shape (2, n); offices mostly close in a typhoon."""
    share = _by_day(chunk, stream, (PEOPLE_H, PEOPLE, WEEKEND_H, WEEKEND_PEOPLE), 0.10)
    turnout = 1.0 + 0.035 * chunk.noise(f"{stream}-turnout", 86_400.0) + 0.02 * chunk.noise(stream, 3600.0)
    away = 1.0 - 0.85 * np.clip(chunk.outdoor("typhoon"), 0.0, 1.0)
    return np.clip(share * turnout * away, 0.0, 1.0)


def lights_share(chunk: Chunk, stream: str) -> Floats:
    """Return the share of the lights that burn, shape (2, n)."""
    share = _by_day(chunk, stream, (LIGHTS_H, LIGHTS, WEEKEND_H, WEEKEND_LIGHTS), 0.12)
    return np.clip(share * (1.0 + 0.025 * chunk.noise(f"{stream}-lights", 5400.0)), 0.0, 1.1)


def meals_share(chunk: Chunk) -> Floats:
    """Return how busy a canteen's kitchen is, shape (2, n)."""
    hours = (0.0, 6.0, 7.0, 8.5, 10.0, 11.2, 12.6, 13.5, 15.0, 24.0)
    level = (0.0, 0.0, 0.35, 0.25, 0.6, 1.0, 0.95, 0.4, 0.05, 0.0)
    return np.where(chunk.is_working > 0, np.interp(chunk.hours, hours, level), 0.0)
