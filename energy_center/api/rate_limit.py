"""How often one address may try to log in, whatever names it tries; counted in this process."""

from collections import OrderedDict
from datetime import datetime, timedelta

from energy_center.errors import TooManyAttempts

_MAX_ADDRESSES = 10_000  # the least recently seen is forgotten first


class AttemptLimit:
    """A bucket of `burst` attempts an address, refilled by one every `refill`."""

    def __init__(self, burst: int = 20, refill: timedelta = timedelta(seconds=6)) -> None:
        self._burst = burst
        self._refill = refill
        # address -> the instant at which its bucket is full again
        self._full_at: OrderedDict[str, datetime] = OrderedDict()

    def take(self, address: str, now: datetime) -> None:
        """Use one attempt; raises TooManyAttempts with the wait until the next one."""
        full_at = max(self._full_at.get(address, now), now) + self._refill
        over = full_at - now - self._refill * self._burst
        if over > timedelta():
            raise TooManyAttempts(over.total_seconds())
        self._full_at[address] = full_at
        self._full_at.move_to_end(address)
        while len(self._full_at) > _MAX_ADDRESSES:
            self._full_at.popitem(last=False)

    def give_back(self, address: str) -> None:
        """The attempt succeeded: many people behind one address may log in at once."""
        if address in self._full_at:
            self._full_at[address] -= self._refill
