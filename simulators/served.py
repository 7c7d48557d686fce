"""What the devices have sent: a count per point, to be compared with what arrived in a database."""

from collections import Counter
from collections.abc import Iterable, Mapping

Key = tuple[str, str]  # equipment id, signal


class Served:
    """Counts values that left a device: in a reply that covers the point whole, or in a published message."""

    def __init__(self) -> None:
        self._counts: Counter[Key] = Counter()

    def add(self, keys: Iterable[Key]) -> None:
        """Count one more value of each key."""
        self._counts.update(keys)

    def counts(self) -> Mapping[str, int]:
        """Values sent since the start, by `equipment/signal`, sorted."""
        return {f"{equipment}/{signal}": n for (equipment, signal), n in sorted(self._counts.items())}

    @property
    def total(self) -> int:
        """All values sent since the start."""
        return self._counts.total()
