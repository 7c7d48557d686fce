"""Recorded exchanges of meters as every figure of energy needs them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from energy_center.analysis.registers import Exchange
from energy_center.domain.meter_events import MeterEvent
from energy_center.domain.readings import PointId
from energy_center.store.meter_events import exchanges_of
from energy_center.store.pool import Database

_JUST_BEFORE = timedelta(milliseconds=1)  # an exchange's period begins with the old meter's last register


async def read_exchanges(
    db: Database, point_ids: Sequence[PointId], start: datetime, end: datetime
) -> dict[PointId, list[Exchange]]:
    """Exchanges within [start, end) that are not undone, oldest first, by point."""
    async with db.connection() as connection:
        recorded = await exchanges_of(connection, point_ids, start, end)
    return {point_id: [_exchange(event) for event in events] for point_id, events in recorded.items()}


def _exchange(event: MeterEvent) -> Exchange:
    old_last, new_first = event.detail["old_last"], event.detail["new_first"]
    return Exchange((event.from_at + _JUST_BEFORE).timestamp(), float(str(old_last)), float(str(new_first)))
