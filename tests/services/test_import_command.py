"""`energy-center import` as a person runs it: a workbook compared, stored, and compared again."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl

from energy_center.domain.quantities import Role
from energy_center.store.pool import Database
from tests.services.city_hall import applied, point_of

START = datetime(2026, 1, 1)  # noqa: DTZ001  a workbook knows no zone


def _import(dsn: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "energy_center", "import", *words],
        env={**os.environ, "DATABASE_URL": dsn},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_workbook_is_compared_then_stored_and_then_the_same(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    site = await applied(database)
    point = point_of(site, "main", Role.ENERGY_IMPORT)
    book = openpyxl.Workbook()
    book.active.append(["from", "kWh"])
    for n, energy in enumerate([1.5, 2, "much"]):
        book.active.append([START + timedelta(minutes=15 * n), energy])
    book.save(tmp_path / "old.xlsx")
    (tmp_path / "map.yaml").write_text(
        "time: from\nstamp: start\ninterval: 15min\n"
        f"columns: {{kWh: {{equipment: main, point: {point.name}, holds: energy}}}}\n"
    )
    words = [str(tmp_path / "old.xlsx"), "--map", str(tmp_path / "map.yaml")]

    dry = _import(database_dsn, *words, "--dry-run", "--format", "json")
    assert dry.returncode == 1, dry.stderr
    told = json.loads(dry.stdout)
    assert told["errors"] == [f"{tmp_path}/old.xlsx:4: kWh 'much'; expected a number"]
    assert told["points"] == [
        {
            "equipment": "main",
            "point": point.name,
            "unit": "kW.h",
            "new": 3,
            "same": 0,
            "different": 0,
            "first": "2025-12-31T16:00:00+00:00",
            "last": "2025-12-31T16:30:00+00:00",
            "differences": [],
        }
    ]
    stored = _import(database_dsn, *words)
    assert stored.stdout.splitlines()[-1] == (
        "3 new, stored; 0 the same; 0 different, kept as stored; 0 empty; 1 errors"
    )
    assert _import(database_dsn, *words).stdout.splitlines()[-1].startswith("0 new, stored; 3 the same")
    refused = _import(database_dsn, *words, "--stamp", "end")
    assert refused.returncode != 0
    assert "--stamp: the map says how the file is written" in refused.stderr
