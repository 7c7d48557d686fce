"""Random numbers that depend only on seed, stream and index, so that any window of time sees the same ones.

A counter-based hash (splitmix64) stands where a generator with state would make the values depend on the
order of the calls.
"""

import zlib

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def _mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return splitmix64's finaliser of each word (Steele, Lea and Flood 2014)."""
    words = (words ^ (words >> np.uint64(30))) * _MIX_1
    words = (words ^ (words >> np.uint64(27))) * _MIX_2
    return words ^ (words >> np.uint64(31))


def uniform(seed: int, stream: str, index: NDArray[np.int64]) -> Floats:
    """Return one number in (0, 1) per index, shape of ``index``."""
    key = np.uint64((zlib.crc32(stream.encode()) << 31) ^ (seed & 0x7FFFFFFF))
    start = _mix(np.full(1, key) * _GOLDEN)
    words = _mix((np.asarray(index).astype(np.int64).view(np.uint64) + np.uint64(1)) * _GOLDEN + start)
    fractions: Floats = ((words >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return fractions


def normal(seed: int, stream: str, index: NDArray[np.int64]) -> Floats:
    """Return one standard normal number per index, shape of ``index``."""
    quantiles: Floats = ndtri(uniform(seed, stream, index))
    return quantiles


def one_uniform(seed: int, stream: str) -> float:
    """Return the stream's first number in (0, 1)."""
    return float(uniform(seed, stream, np.zeros(1, dtype=np.int64))[0])


def smooth(seed: int, stream: str, time: Floats, period_s: float) -> Floats:
    """Return smooth noise of mean 0 and deviation about 1 that forgets itself within ``period_s``.

    Normal numbers on a lattice of ``period_s``, joined by the cubic 3u^2 - 2u^3; defined for any time alike.
    """
    place = np.asarray(time) / period_s
    cell = np.floor(place)
    share = place - cell
    weight = share * share * (3.0 - 2.0 * share)
    index = cell.astype(np.int64)
    low = int(index.min())
    lattice = normal(seed, stream, np.arange(low, int(index.max()) + 2, dtype=np.int64))
    index = index - low
    # 1.16 restores unit deviation lost between the lattice points
    return 1.16 * (lattice[index] * (1.0 - weight) + lattice[index + 1] * weight)
