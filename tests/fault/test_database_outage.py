"""A sample of the faults with real devices, a database and a collector process, and some random kills."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLS = 5
SAMPLE = [
    "database-killed",
    "collector-killed",
    "modbus-garbage",
    "modbus-late",
    "bacnet-duplicated",
    "mqtt-slow",
]

Row = dict[str, object]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """One stand for all: starting it takes longer than a fault."""
    build = tmp_path_factory.mktemp("faults")
    only = [word for name in SAMPLE for word in ("--only", name)]
    argv = [sys.executable, "-m", "energy_center", "faults", "--short", *only, "--kills", str(KILLS)]
    ended = subprocess.run(
        [*argv, "--build", str(build)], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert ended.returncode in (0, 1), ended.stderr[-3000:]
    return {row["name"]: row for row in json.loads((build / "kills.json").read_text())}


@pytest.mark.parametrize("fault", [*SAMPLE, f"kills-{KILLS}"])
def test_nothing_is_lost_or_doubled(fault: str, rows: dict[str, Row]) -> None:
    row = rows[fault]
    assert row["expected"], row
    assert (row["lost"], row["doubled"], row["ok"]) == (0, 0, True), row
