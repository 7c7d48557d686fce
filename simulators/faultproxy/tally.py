"""What a client has been given: a count per point of values in complete, valid, timely replies.

A value whose fate the proxy cannot know (the reply came near its time limit, or nobody was listening) is
counted apart as unsure: it may be stored or not.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping

from simulators.served import Key

REMEMBERED_S = 30.0


class Tally:
    """Counts of one proxy; `listening` is False while the client is known to be stopped."""

    def __init__(self) -> None:
        self.listening = True
        self._held_until = 0.0
        self._served: Counter[Key] = Counter()
        self._unsure: Counter[Key] = Counter()
        self._recent: deque[tuple[float, int]] = deque()

    def add(self, keys: Iterable[Key], *, sure: bool = True) -> None:
        """Count one more value of each key; not surely received when `sure` is False or nobody listens."""
        given = list(keys)
        (self._served if sure and self.listening else self._unsure).update(given)
        now = time.monotonic()
        self._recent.append((now, len(given)))
        while self._recent and now - self._recent[0][0] > REMEMBERED_S:
            self._recent.popleft()

    def hold(self, seconds: float) -> None:
        """Let no request pass for a while, so that what was given and what was stored can be compared."""
        self._held_until = time.monotonic() + seconds

    async def passage(self) -> None:
        """Wait while requests are held."""
        if (pause := self._held_until - time.monotonic()) > 0:
            await asyncio.sleep(pause)

    def since(self, at: float) -> int:
        """How many values were given after an instant of the monotonic clock, at most 30 s ago."""
        return sum(n for when, n in self._recent if when >= at)

    def answer(self) -> Mapping[str, Mapping[str, int]]:
        """Both counts, by `equipment/signal`."""
        return {"served": _named(self._served), "unsure": _named(self._unsure)}


def _named(counts: Counter[Key]) -> dict[str, int]:
    return {f"{equipment}/{signal}": n for (equipment, signal), n in sorted(counts.items())}


def certainty(age_s: float, limit_s: float) -> bool | None:
    """Whether a reply of this age was in time: True, False, or None when it is too close to tell."""
    if age_s < 0.8 * limit_s:
        return True
    return False if age_s > 1.3 * limit_s else None
