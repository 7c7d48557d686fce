"""What was given and what is stored, by point: the counts that a fault run compares."""

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from energy_center.config.bindings import PointKey

Counts = Counter[PointKey]
Instants = set[tuple[str, str, int]]


def only(counts: Counts, keys: AbstractSet[PointKey]) -> Counts:
    """The counts of some points."""
    return Counter({k: n for k, n in counts.items() if k in keys})


@dataclass(frozen=True, slots=True)
class Given:
    """What clients were given: for certain, and what may have come too late or to nobody."""

    sure: Counts = field(default_factory=Counter)
    unsure: Counts = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Per point: what devices gave for certain, what may or may not have arrived, and what is stored."""

    sent: Counts = field(default_factory=Counter)
    unsure: Counts = field(default_factory=Counter)
    stored: Counts = field(default_factory=Counter)

    @property
    def lost(self) -> Counts:
        """Given and not stored."""
        return self.sent - self.stored

    @property
    def doubled(self) -> Counts:
        """Stored and not given."""
        return self.stored - self.sent - self.unsure

    @property
    def is_even(self) -> bool:
        """Whether nothing is lost and nothing doubled."""
        return not self.lost and not self.doubled

    def of(self, keys: AbstractSet[PointKey]) -> "Ledger":
        """The same for some points only."""
        return Ledger(*(only(c, keys) for c in (self.sent, self.unsure, self.stored)))

    def since(self, before: "Ledger") -> "Ledger":
        """What came after an earlier reading of the counts."""
        return Ledger(self.sent - before.sent, self.unsure - before.unsure, self.stored - before.stored)
