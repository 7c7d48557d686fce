"""What is told about devices: logged once away and once back with the duration, and stored for all to see.

States wait in memory while the database is away; only the newest of each device is kept.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from collectors.poller import StateChange

log = logging.getLogger(__name__)


class StateStore(Protocol):
    """Where device states end up. Raises RetryLater while it is away."""

    async def set_state(self, change: StateChange) -> None:
        """Record one change."""

    async def mark_seen(self, seen_at: Mapping[str, datetime]) -> None:
        """Record the last answers of many devices."""


class DeviceLog:
    """All devices of one collector process."""

    def __init__(self) -> None:
        self._state: dict[str, StateChange] = {}
        self._untold: dict[str, StateChange] = {}
        self._told_seen: dict[str, float] = {}

    @property
    def online(self) -> int:
        """How many devices answer."""
        return sum(change.online for change in self._state.values())

    def report(self, change: StateChange) -> None:
        """Note a change; log it unless it is the device's first answer after the start."""
        before = self._state.get(change.device_id)
        self._state[change.device_id] = change
        self._untold[change.device_id] = change
        if not change.online and (before is None or before.online):
            log.warning(
                "device away",
                extra={"action": "device_away", "device": change.device_id, "why": change.detail},
            )
        elif before is not None and not before.online:
            away_s = round(change.at - before.at, 1)
            log.info(
                "device back", extra={"action": "device_back", "device": change.device_id, "after_s": away_s}
            )

    async def tell(self, store: StateStore, seen_at: Mapping[str, float]) -> None:
        """Store what is not stored yet; raises RetryLater and keeps the rest.

        `seen_at` is the last answer of each device in UTC seconds, 0 for never.
        """
        for device_id, change in list(self._untold.items()):
            await store.set_state(change)
            if self._untold.get(device_id) is change:
                del self._untold[device_id]
        news = {d: at for d, at in seen_at.items() if at and at != self._told_seen.get(d)}
        if news:
            await store.mark_seen({d: datetime.fromtimestamp(at, UTC) for d, at in news.items()})
            self._told_seen.update(news)

    def forget(self, device_ids: Iterable[str]) -> None:
        """These are read no longer."""
        for device_id in device_ids:
            self._state.pop(device_id, None)
            self._untold.pop(device_id, None)
            self._told_seen.pop(device_id, None)

    def tell_all_again(self) -> None:
        """After the database was away: store every state again, it may have been restored from a backup."""
        self._untold = dict(self._state)
        self._told_seen.clear()
