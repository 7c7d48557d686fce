"""Main meter against the sum of its sub-meters: what is measured nowhere else, and what cannot be right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from energy_center.analysis.counters import FloatArray
from energy_center.analysis.intervals import Energies

CLASS_ERROR = 0.01  # of a meter's energy: class 1 of IEC 62053-21 at full load


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """Per interval, shape (m,): main, sum of parts and residual = main - parts, in kWh; coverage 0..1.

    `cannot_be` marks intervals in which the parts exceed the main meter by more than the meters' own errors.
    """

    main: FloatArray
    parts: FloatArray
    residual: FloatArray
    coverage: FloatArray
    cannot_be: npt.NDArray[np.bool_]

    @property
    def residual_share(self) -> float | None:
        """The residual of all known intervals as a share of the main meter's energy; None without any."""
        known = ~np.isnan(self.residual)
        main = float(self.main[known].sum())
        return float(self.residual[known].sum()) / main if main > 0 else None


def balance(main: Energies, parts: Sequence[Energies], class_error: float = CLASS_ERROR) -> Balance:
    """Compare a main meter with its parts over the same intervals; what one lacks makes the residual unknown.

    Raises ValueError without parts or where intervals differ.
    """
    if not parts or any(not np.array_equal(part.edges_s, main.edges_s) for part in parts):
        message = "a balance needs at least one part, over the same intervals as the main meter"
        raise ValueError(message)
    amounts = np.array([part.amount for part in parts])
    total = amounts.sum(axis=0)
    residual = main.amount - total
    tolerance = class_error * (np.abs(main.amount) + np.abs(amounts).sum(axis=0))
    return Balance(
        main=main.amount,
        parts=total,
        residual=residual,
        coverage=np.minimum.reduce([main.coverage, *(part.coverage for part in parts)]),
        cannot_be=np.nan_to_num(residual, nan=0.0) < -np.nan_to_num(tolerance, nan=np.inf),
    )
