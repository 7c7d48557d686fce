"""How fast one process may connect: after a failure of the network not everything is called at once."""

import asyncio
import time

CONNECTS_A_SECOND = 20.0


class Connects:
    """Gives turns at equal distances, in the order in which they were asked for."""

    def __init__(self, a_second: float = CONNECTS_A_SECOND, at_once: int = 10) -> None:
        """`at_once` turns are given without waiting after a pause."""
        self._apart_s = 1 / a_second
        self._credit_s = (at_once - 1) * self._apart_s
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for a turn."""
        now = time.monotonic()
        self._next = max(self._next, now - self._credit_s)
        wait = self._next - now
        self._next += self._apart_s
        if wait > 0:
            await asyncio.sleep(wait)


CONNECTS = Connects()  # all lines of this process
