"""Devices as the collectors see them: online or away, since when, and the share of stale points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from energy_center.domain.site import Text
from energy_center.store.pool import Database


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device. `is_online` is None while no collector has said anything of it."""

    device_id: str
    name: Text
    connection_id: str | None
    building_id: str | None
    is_online: bool | None
    since: datetime | None
    seen_at: datetime | None
    detail: str
    points: int
    points_stale: int
    points_never: int

    @property
    def is_stale(self) -> bool:
        """Whether its readings can no longer be trusted as live: away, or most points stale or never read."""
        return self.is_online is False or 2 * (self.points_stale + self.points_never) > self.points


async def read_devices(db: Database, now: datetime) -> tuple[DeviceRow, ...]:
    """Every device, in file order."""
    raise NotImplementedError
