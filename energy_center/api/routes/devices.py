"""Devices and collectors as supervision sees them, and long-running jobs."""

from typing import Annotated

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


@router.get("/devices", summary="List devices", name="list_devices")
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
