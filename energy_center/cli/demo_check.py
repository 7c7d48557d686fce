"""`energy-center demo --check`: watch a running demo for a while and say in figures whether it lives."""

import asyncio
import contextlib
from datetime import UTC, datetime

import psutil

from energy_center.cli import out
from energy_center.cli.demo_stack import DemoStack
from energy_center.services.check_live import check_live
from energy_center.services.live_feed import LiveFeed

MB = 2**20


async def check_demo(stack: DemoStack, seconds: float, stop: asyncio.Event) -> int:
    """Print one JSON object after `seconds`; 1 when a device never answered, else 0."""
    site = stack.site
    assert site is not None, "the stack has started"  # noqa: S101
    since = datetime.now(UTC)
    latencies = await _watch_pushes(stack, seconds, stop)
    now = datetime.now(UTC)
    live = await check_live(stack.database, site, since, now, answered_since=stack.begun_at)
    out.as_json(
        {
            "seconds": round((now - since).total_seconds(), 1),
            "devices": live.devices,
            "devices_silent": list(live.silent_devices),
            "points": live.points,
            "readings": live.readings,
            "fresh_share": round(live.fresh_share, 4),
            "latency_ms": _percentiles(latencies),
            "residual": {b.building: b.as_dict() for b in live.balances},
            "memory_mb": _memory(stack),
        }
    )
    return 1 if live.silent_devices else 0


async def _watch_pushes(stack: DemoStack, seconds: float, stop: asyncio.Event) -> list[float]:
    """Milliseconds from the stamp at the device's edge to the push, of every value pushed meanwhile."""
    latencies: list[float] = []
    feed = LiveFeed(stack.dsn, stack.database)

    async def watch() -> None:
        async for update in feed.subscribe():
            if update.is_snapshot:
                continue
            now = datetime.now(UTC)
            latencies.extend((now - value.at).total_seconds() * 1000 for value in update.values)

    async with feed.running():
        watching = asyncio.ensure_future(watch())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    return latencies


def _percentiles(values: list[float]) -> dict[str, float | None]:
    ordered = sorted(values)
    if not ordered:
        return {"p50": None, "p95": None}
    return {
        "p50": round(ordered[len(ordered) // 2], 1),
        "p95": round(ordered[int(len(ordered) * 0.95)], 1),
    }


def _memory(stack: DemoStack) -> dict[str, float]:
    """Memory of each child with its own children, MB; shared pages are split among their users (PSS)."""
    found = {"demo": _pss(psutil.Process())}
    for name, child in stack.children.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(child.pid)
            found[name] = sum(_pss(p) for p in [process, *process.children(recursive=True)])
    if (postmaster := stack.postmaster_pid) is not None:
        process = psutil.Process(postmaster)
        found["postgres"] = sum(_pss(p) for p in [process, *process.children(recursive=True)])
    return {name: round(size / MB, 1) for name, size in found.items()}


def _pss(process: psutil.Process) -> float:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0.0
    return float(getattr(full, "pss", full.rss))
