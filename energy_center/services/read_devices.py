"""Devices as the collectors see them: online or away, since when, and the share of stale points."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Point, Site, Text
from energy_center.services.current_site import current_site
from energy_center.services.figures import is_stale
from energy_center.store.devices import DeviceState, device_states
from energy_center.store.latest import Latest, latest_of
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
    site = await current_site(db)
    newest = await latest_of(db, [p.point_id for p in site.points()])
    return device_rows(site, newest, await device_states(db), now)


def device_rows(
    site: Site, newest: Mapping[PointId, Latest], states: Mapping[str, DeviceState], now: datetime
) -> tuple[DeviceRow, ...]:
    """The rows of a site from what is known of its points and devices."""
    points: dict[str, list[Point]] = {}
    named: dict[str, Equipment] = {}
    for equipment in site.equipment:
        if equipment.device_id is not None:
            named.setdefault(equipment.device_id, equipment)
            points.setdefault(equipment.device_id, []).extend(equipment.points)
    return tuple(
        _row(device_id, named[device_id], site, points[device_id], newest, states.get(device_id), now)
        for device_id in named
    )


def _row(
    device_id: str,
    equipment: Equipment,
    site: Site,
    points: list[Point],
    newest: Mapping[PointId, Latest],
    state: DeviceState | None,
    now: datetime,
) -> DeviceRow:
    read = [(p, newest[p.point_id]) for p in points if p.point_id in newest]
    newest_at = max((latest.at for _, latest in read), default=None)
    seen = [at for at in (newest_at, state.seen_at if state else None) if at is not None]
    return DeviceRow(
        device_id=device_id,
        name=equipment.name,
        connection_id=equipment.connection_id,
        building_id=site.building_of(equipment.space_id),
        is_online=state.online if state else None,
        since=state.since if state else None,
        seen_at=max(seen, default=None),
        detail=state.detail if state else "",
        points=len(points),
        points_stale=sum(is_stale(latest.at, p.interval_s, now) for p, latest in read),
        points_never=len(points) - len(read),
    )
