"""Outages with real devices, a real database and a collector process, counted against what was sent."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def rows_of(names: list[str], build: Path) -> list[dict[str, object]]:
    only = [word for name in names for word in ("--only", name)]
    argv = [sys.executable, "-m", "energy_center", "faults", "--short", *only, "--build", str(build)]
    ended = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=270, check=False)
    assert ended.returncode in (0, 1), ended.stderr[-3000:]
    return json.loads((build / "faults.json").read_text())


@pytest.mark.parametrize("fault", ["database-killed", "collector-killed"])
def test_nothing_is_lost_or_doubled(fault: str, tmp_path: Path) -> None:
    (row,) = rows_of([fault], tmp_path)
    assert row["expected"], row
    assert (row["lost"], row["doubled"], row["ok"]) == (0, 0, True), row
