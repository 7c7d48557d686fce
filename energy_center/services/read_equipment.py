"""Equipment lists and one equipment's nameplate and live points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from energy_center.domain.quantities import Kind, Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Text
from energy_center.services.figures import Figure
from energy_center.store.pool import Database


@dataclass(frozen=True, slots=True)
class EquipmentRow:
    """One line of the equipment list.

    `main_role` and `main` are the point that tells most about this equipment, None where it has no point.
    `is_online` is its device's state, None where nothing is known; `seen_at` its newest reading.
    """

    equipment_id: str
    name: Text
    brick_class: str
    building_id: str | None
    space_id: str
    space_name: Text
    device_id: str | None
    is_online: bool | None
    seen_at: datetime | None
    points: int
    points_stale: int
    main_role: Role | None
    main: Figure | None
    active_alarms: int


@dataclass(frozen=True, slots=True)
class PointNow:
    """One point with its newest reading; `age_s` is None where it never had one."""

    point_id: PointId
    name: str
    role: Role
    kind: Kind
    unit: str
    interval_s: float
    figure: Figure
    age_s: float | None


@dataclass(frozen=True, slots=True)
class EquipmentView:
    """All that the equipment page shows; the trend is asked for with `read_history.read_trend`.

    `trend_point_ids` are the points drawn at first, at most three.
    """

    row: EquipmentRow
    connection_id: str | None
    profile: str | None
    fed_by: str | None
    feeds: tuple[str, ...]
    meters: str | None
    attributes: Mapping[str, object]
    points: tuple[PointNow, ...]
    trend_point_ids: tuple[PointId, ...]


async def list_equipment(
    db: Database, now: datetime, *, building: str | None = None, search: str | None = None
) -> tuple[EquipmentRow, ...]:
    """Equipment in file order. `search` matches id, names in both languages and class, any case."""
    raise NotImplementedError


async def read_equipment(db: Database, equipment_id: str, now: datetime) -> EquipmentView:
    """One equipment. Raises NotFound for an unknown id."""
    raise NotImplementedError
