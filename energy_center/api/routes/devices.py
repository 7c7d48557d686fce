"""Devices as the collectors see them, and long-running jobs."""

from fastapi import APIRouter

from energy_center.api.deps import Data, Now, Viewer
from energy_center.api.fields import Limit, Offset
from energy_center.services.read_devices import DeviceRow, read_devices
from energy_center.services.read_progress import JobProgress, read_progress

router = APIRouter(tags=["devices"])


@router.get("/devices", summary="List devices", name="list_devices")
async def list_devices(
    _: Viewer,
    data: Data,
    now: Now,
    limit: Limit = 500,
    offset: Offset = 0,
) -> list[DeviceRow]:
    """Online or away and since when, with the count of stale points."""
    rows = await read_devices(data, now)
    return list(rows[offset : offset + limit])


@router.get("/progress", summary="How far long jobs are", name="list_progress")
async def list_progress(_: Viewer, data: Data) -> list[JobProgress]:
    """Such as filling in the demo's history."""
    return list(await read_progress(data))
