"""`python -m simulators live` as its own process over the real physics: it serves, and it ends when told."""

import asyncio
import json
import os
import signal
import struct
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[3]
_START_LIMIT_S = 90.0
_STOP_LIMIT_S = 2.0


async def _wait_for(path: Path) -> dict[str, Any]:
    async with asyncio.timeout(_START_LIMIT_S):
        while not path.exists():  # noqa: ASYNC110  another process writes it
            await asyncio.sleep(0.05)
    return json.loads(path.read_text())


async def _ask(port: int, request: dict[str, Any]) -> dict[str, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        return json.loads(await reader.readline())
    finally:
        writer.close()
        await writer.wait_closed()


async def _read(port: int, unit: int, function: int, address: int, count: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(struct.pack(">HHHBBHH", 1, 0, 6, unit, function, address, count))
        async with asyncio.timeout(2):
            return (await reader.readexactly(9 + 2 * count))[9:]
    finally:
        writer.close()
        await writer.wait_closed()


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@asynccontextmanager
async def _live(endpoints: Path, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators", "live", "--endpoints", str(endpoints), *options),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_serves_the_worlds_values_and_stops_within_2_s_leaving_nothing(tmp_path: Path) -> None:
    async with _live(tmp_path / "endpoints.json", "--fault", "tank_leak") as process:
        content = await _wait_for(tmp_path / "endpoints.json")
        control, ports = content["control"]["port"], content["connections"]
        values = (await _ask(control, {"do": "values"}))["values"]
        assert len(values) >= 1000

        energy_wh = struct.unpack(">q", await _read(ports["ltb-hv-room"]["port"], 1, 3, 3203, 4))[0]
        assert energy_wh / 1000 == pytest.approx(values["ltb-main/energy_import"], rel=1e-5)
        (fault,) = (await _ask(control, {"do": "faults"}))["faults"]
        since = datetime.now(UTC) - datetime.fromisoformat(fault["from"])
        assert fault["name"] == "tank_leak"
        assert since < timedelta(seconds=5), "making the world takes longer than that, and is caught up"

        await _ask(
            control, {"do": "set", "equipment": "ltb-fl01-meter", "point": "active_power", "value": 7.5}
        )
        power = await _read(ports["ltb-submeters"]["port"], 1, 4, 52, 2)
        assert struct.unpack(">f", power)[0] == 7500.0

        await _ask(control, {"do": "fault", "name": "meter_offline", "equipment": "ltb-fl07-meter"})
        with pytest.raises(TimeoutError):
            await _read(ports["ltb-submeters"]["port"], 7, 4, 52, 2)

        children = psutil.Process(process.pid).children(recursive=True)
        assert children, "the broker runs as a child"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        assert time.monotonic() - began < _STOP_LIMIT_S
        assert not any(_runs(child) for child in children)


async def test_it_ends_when_its_parent_dies(tmp_path: Path) -> None:
    endpoints = tmp_path / "endpoints.json"
    command = f"{sys.executable} -m simulators live --endpoints {endpoints} & echo $!; wait"
    parent = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", command, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    orphan = psutil.Process(int(await parent.stdout.readline()))
    try:
        await _wait_for(endpoints)
        parent.kill()
        await parent.wait()
        async with asyncio.timeout(_STOP_LIMIT_S):
            while _runs(orphan):  # noqa: ASYNC110  another process's end
                await asyncio.sleep(0.02)
    finally:
        if _runs(orphan):
            os.kill(orphan.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fault", "no_such_fault"], "no fault named 'no_such_fault'"),
        (["--control", "somewhere"], "expected PORT or HOST:PORT"),
        (["--site", "/nowhere/site.yaml"], "/nowhere/site.yaml"),
    ],
)
async def test_a_wrong_option_is_one_sentence_and_exit_2(
    tmp_path: Path, options: list[str], said: str
) -> None:
    async with _live(tmp_path / "endpoints.json", *options) as process:
        _, stderr = await process.communicate()
        assert process.returncode == 2
        assert said in stderr.decode()
        assert "Traceback" not in stderr.decode()
