"""`energy-center site` and `probe` as a person calls them."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from energy_center.store.pool import Database
from energy_center.store.supervision import write_report
from tests.protocol.faulty_modbus import faulty_device
from tests.services.supervised import collector_report

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "tests" / "unit" / "config" / "files"
PROFILES = ("--profiles", str(FILES / "profiles"))


async def call(*words: str, **env: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "energy_center",
        *words,
        cwd=ROOT,
        env=os.environ | env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, said.decode()


async def test_check_of_a_good_file_counts_what_it_describes() -> None:
    code, said = await call("site", "check", str(FILES / "site.good.yaml"), *PROFILES, "--format", "json")
    assert code == 0
    counted = json.loads(said)
    assert (counted["ok"], counted["equipment"], counted["points"], counted["devices"]) == (True, 5, 12, 4)


async def test_check_of_a_bad_file_tells_all_mistakes_and_says_no() -> None:
    path = FILES / "site.several-mistakes.yaml"
    code, said = await call("site", "check", str(path), *PROFILES)
    assert code == 1
    assert [line.startswith(f"{path}:") for line in said.splitlines()] == [True, True, True, False]


async def test_check_tells_how_busy_a_line_is_and_what_it_cannot_do(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    text = (FILES / "site.serial.yaml").read_text(encoding="utf-8")
    site.write_text(text.replace("unit_id: 2,", "unit_id: 2, interval: 50ms,"), encoding="utf-8")
    code, said = await call("site", "check", str(site), *PROFILES)
    assert code == 0
    late = [line for line in said.splitlines() if "cannot be met" in line]
    assert late
    assert all(line.startswith("line: cannot be met: two every 0.05 s: two/") for line in late[:1])


async def test_schema_is_json_schema() -> None:
    code, said = await call("site", "schema")
    assert code == 0
    assert {"site", "spaces", "connections", "equipment", "rules"} <= set(json.loads(said)["properties"])


async def test_plan_then_apply_then_nothing_to_change(database: Database, database_dsn: str) -> None:
    words = (str(FILES / "site.good.yaml"), *PROFILES)
    planned, said = await call("site", "plan", *words, DATABASE_URL=database_dsn)
    assert planned == 0
    assert "add 12 point" in said
    applied, said = await call("site", "apply", *words, DATABASE_URL=database_dsn)
    assert (applied, "no collector is at work" in said) == (0, True)
    await write_report(database, collector_report(datetime.now(UTC)))
    _, said = await call("site", "apply", *words, DATABASE_URL=database_dsn)
    assert "told to the collector on gateway" in said
    code, said = await call("site", "plan", *words, DATABASE_URL=database_dsn)
    assert (code, said.splitlines()[-1]) == (0, "plan: nothing to change")


async def test_probe_shows_a_register_under_every_meaning() -> None:
    async with faulty_device() as meter:
        code, said = await call(
            "probe", "--modbus", f"127.0.0.1:{meter.port}", "--address", "100", "--format", "json"
        )
    assert code == 0
    rows = {(r["address"], r["type"], r["words"]): r["reads"] for r in json.loads(said)}
    # registers 100 and 101 hold their own address: 100 * 65536 + 101 and the other way round
    assert rows[100, "u16", "big"] == 100
    assert rows[100, "u32", "big"] == 6_553_701
    assert rows[100, "u32", "little"] == 6_619_236


async def test_probe_of_a_silent_device_says_no() -> None:
    async with faulty_device() as meter:
        meter.behave = lambda _: None
        code, said = await call("probe", "--modbus", f"127.0.0.1:{meter.port}")
    assert code == 1
    assert "No answer from the device" in said
