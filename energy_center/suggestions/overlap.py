"""One equipment-hour is claimed once: of overlapping savings the largest counts, never the sum.

At each meter and quarter-hour the largest claim stands; against the meters behind it, the larger of its own
claim and their sum. The order of suggestions does not matter, and no more than was used can be claimed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from energy_center.suggestions.history import Floats

Claims = Mapping[str, Floats]  # kWh a quarter-hour by meter


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """`saved`: all claims together, kWh a quarter-hour by uppermost meter; `counted`: kWh of each."""

    saved: Mapping[str, Floats]
    counted: tuple[float, ...]

    @property
    def total_kwh(self) -> float:
        """Everything together."""
        return float(sum(np.sum(one) for one in self.saved.values()))


def join_claims(claims: Sequence[Claims], used: Claims, parents: Mapping[str, str]) -> Overlap:
    """What several claims save together. `used`: kWh a quarter-hour by meter; unknown use cannot be saved."""
    length = len(next(iter(used.values()))) if used else 0
    children: dict[str, list[str]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    tops = [meter for meter in used if meter not in parents]
    counted = np.zeros((len(claims), length))
    saved = {top: _node(top, claims, used, children, counted) for top in tops}
    return Overlap(saved, tuple(float(kwh) for kwh in counted.sum(axis=1)))


def uppermost(meters: Collection[str], parents: Mapping[str, str]) -> list[str]:
    """Those of the meters, in order of name, that none of the others feeds: what they count counts once."""

    def is_fed(meter: str) -> bool:
        seen = {meter}
        while (above := parents.get(meter)) is not None and above not in seen:
            if above in meters:
                return True
            seen.add(above)
            meter = above
        return False

    return sorted(meter for meter in meters if not is_fed(meter))


def _node(
    meter: str,
    claims: Sequence[Claims],
    used: Claims,
    children: Mapping[str, Sequence[str]],
    counted: Floats,
) -> Floats:
    """The saving at a meter; adds to `counted` (shape (claims, n)) whose it is."""
    limit = np.nan_to_num(used[meter], nan=0.0)
    below = np.zeros_like(counted)
    sum_below = np.zeros_like(limit)
    for child in children.get(meter, ()):
        if child in used:
            sum_below += _node(child, claims, used, children, below)
    own = np.zeros_like(limit)
    winner = np.full(len(limit), -1)
    for row, claim in enumerate(claims):
        if meter in claim:
            offered = np.minimum(np.nan_to_num(claim[meter], nan=0.0), limit)
            winner = np.where(offered > own, row, winner)
            own = np.maximum(own, offered)
    # sub-meters together may read a little above the meter that feeds them
    kept = np.minimum(sum_below, limit)
    is_own = own > kept
    share = np.divide(kept, sum_below, out=np.zeros_like(kept), where=sum_below > 0)
    counted += np.where(is_own, 0.0, below * share)
    for row in range(len(claims)):
        counted[row] += np.where(is_own & (winner == row), own, 0.0)
    result: Floats = np.where(is_own, own, kept)
    return result
