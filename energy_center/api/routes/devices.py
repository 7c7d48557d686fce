"""Devices and collectors as supervision sees them, and long-running jobs."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from energy_center.api.deps import Data, Now, Viewer
from energy_center.api.fields import Limit, Line, Offset
from energy_center.services.read_progress import JobProgress, read_progress
from energy_center.services.supervision import (
    CollectorHealth,
    DeviceDetail,
    DeviceHealth,
    DeviceStatus,
    get_device,
    list_collectors,
)
from energy_center.services.supervision import list_devices as devices_worst_first

router = APIRouter(tags=["devices"])

DeviceId = Annotated[
    Line, Path(max_length=100, description="The first equipment at that address.", examples=["ltb-main"])
]

_EXAMPLE: dict[str, Any] = {
    "device_id": "ltb-fl07-meter",
    "name": {"zh_tw": "7 樓照明插座電表", "en": "Floor 7 lighting and socket meter"},
    "connection_id": "ltb-submeters",
    "building_id": "ltb",
    "status": "away",
    "is_online": False,
    "since": "2026-11-24T11:09:31Z",
    "seen_at": "2026-11-24T11:09:02Z",
    "detail": "No answer from the device within its time limit. (unit=7)",
    "points": 13,
    "points_stale": 13,
    "points_never": 0,
    "round_trip_s": 0.0004,
    "round_trip_p95_s": 0.0019,
    "readings_per_s": 0.0,
    "requests_per_s": 0.05,
    "requests": 37,
    "failures": 11,
    "overruns": 0,
    "last_error": {
        "at": "2026-11-24T11:12:05Z",
        "kind": "timeout",
        "said": "No answer from the device within its time limit. (unit=7)",
    },
}
_LISTED: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"example": [_EXAMPLE]}}}}


@router.get("/devices", summary="List devices", name="list_devices", responses=_LISTED)
async def list_devices(
    _: Viewer,
    data: Data,
    now: Now,
    status: Annotated[DeviceStatus | None, Query(description="Only these.", examples=["away"])] = None,
    connection_id: Annotated[
        Line | None, Query(max_length=100, description="Only behind this one.", examples=["ltb-gateway-1"])
    ] = None,
    limit: Limit = 500,
    offset: Offset = 0,
) -> list[DeviceHealth]:
    """Worst first: away, unknown, resting, never answered, online. Counts run since the collector's start."""
    found = await devices_worst_first(data, now, status=status, connection_id=connection_id)
    return list(found[offset : offset + limit])


@router.get("/devices/{device_id}", summary="One device", name="read_device")
async def read_device(_: Viewer, device_id: DeviceId, data: Data, now: Now) -> DeviceDetail:
    """Its failures by kind and code, messages that could not be read, and its last changes."""
    return await get_device(data, device_id, now)


@router.get("/collectors", summary="List collector processes", name="list_collectors")
async def read_collectors(_: Viewer, data: Data, now: Now) -> list[CollectorHealth]:
    """Last sign of life, spool, buses, and what is wrong with each; 60 s without a sign is silence."""
    return list(await list_collectors(data, now))


@router.get("/progress", summary="How far long jobs are", name="list_progress")
async def list_progress(_: Viewer, data: Data) -> list[JobProgress]:
    """Such as filling in the demo's history."""
    return list(await read_progress(data))
