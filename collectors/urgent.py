"""Requests that go before a bus's schedule: writes, and reads by hand. They wait for what is in flight."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from collectors.tally import UrgentWaits
from energy_center.errors import DeviceBusy

URGENT_MOST = 100  # waiting at once on one bus; one more is refused
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class _Urgent:
    request: Callable[[], Awaitable[Any]]
    outcome: "asyncio.Future[Any]"
    asked_at: float


class UrgentRequests:
    """Of one bus, in the order in which they came."""

    def __init__(self, bus: str) -> None:
        self.waits = UrgentWaits()
        self._bus = bus
        self._waiting: deque[_Urgent] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, request: Callable[[], Awaitable[ResultT]]) -> "asyncio.Future[ResultT]":
        """Queue one; the future ends as the request does. Raises DeviceBusy when too many wait."""
        if len(self._waiting) >= URGENT_MOST:
            raise DeviceBusy("Too many requests wait for this line", bus=self._bus)
        outcome: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Urgent(request, outcome, time.monotonic()))
        return outcome

    async def work_off(self) -> None:
        """Do all that wait."""
        while self._waiting:
            urgent = self._waiting.popleft()
            self.waits.since(urgent.asked_at)
            if urgent.outcome.done():  # nobody waits any more
                continue
            try:
                answer = await urgent.request()
            except asyncio.CancelledError:
                urgent.outcome.cancel()
                raise
            except Exception as cause:  # noqa: BLE001  whoever asked is told
                if not urgent.outcome.done():
                    urgent.outcome.set_exception(cause)
            else:
                if not urgent.outcome.done():
                    urgent.outcome.set_result(answer)

    def refuse(self, why: Exception) -> None:
        """Tell all that wait that nothing comes of it."""
        while self._waiting:
            outcome = self._waiting.popleft().outcome
            if not outcome.done():
                outcome.set_exception(why)
