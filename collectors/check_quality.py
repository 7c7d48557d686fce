"""Flags values outside their role's plausible range. A flagged value is kept, never dropped."""

from collections.abc import Sequence

import numpy as np

from collectors.driver import Qualities, Sample, Values
from energy_center.config.bindings import PointBinding
from energy_center.domain.quantities import QUANTITIES
from energy_center.domain.readings import Quality


class RangeCheck:
    """The plausible ranges of one block's points."""

    def __init__(self, bindings: Sequence[PointBinding]) -> None:
        """Look the ranges up once."""
        self._low = np.array([QUANTITIES[b.role].low for b in bindings])
        self._high = np.array([QUANTITIES[b.role].high for b in bindings])

    def flag(self, sample: Sample) -> Sample:
        """The same sample with OUT_OF_RANGE set where a value is implausible."""
        quality = self.flags(sample.values, sample.quality)
        return sample if quality is sample.quality else Sample(sample.at, sample.values, quality)

    def flags(self, values: Values, quality: Qualities) -> Qualities:
        """The same quality with OUT_OF_RANGE set where a value is implausible; of shape (n,) or (k, n)."""
        outside = (values < self._low) | (values > self._high)
        if not outside.any():
            return quality
        return quality | np.where(outside, int(Quality.OUT_OF_RANGE), 0).astype(np.int16)
