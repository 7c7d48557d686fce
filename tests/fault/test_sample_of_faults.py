"""A sample of the faults with real devices, a database and a collector process, and some random kills."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLS = 4
SAMPLE = [
    "modbus-garbage",
    "modbus-late",
    "bacnet-duplicated",
    "mqtt-slow",
    "database-killed",
]

Row = dict[str, object]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """One stand for all: starting it takes longer than a fault."""
    build = tmp_path_factory.mktemp("faults")
    only = [word for name in SAMPLE for word in ("--only", name)]
    argv = [sys.executable, "-m", "energy_center", "faults", "--short", *only, "--kills", str(KILLS)]
    with subprocess.Popen(
        [*argv, "--build", str(build)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            _, said = running.communicate(timeout=280)
        except subprocess.TimeoutExpired:
            running.terminate()  # it stops what it started
            raise
    assert running.returncode in (0, 1), said[-3000:]
    return {row["name"]: row for row in json.loads((build / "faults.json").read_text())}


@pytest.mark.parametrize("fault", [*SAMPLE, f"kills-{KILLS}"])
def test_nothing_is_lost_or_doubled(fault: str, rows: dict[str, Row]) -> None:
    row = rows[fault]
    assert row["served"], row
    assert (row["lost"], row["doubled"], row["ok"]) == (0, 0, True), row
