"""The demo's measure: its fault ends with the work's day, and its day is remembered."""

from datetime import UTC, date, datetime
from pathlib import Path

from energy_center.cli.demo_measure import DemoMeasure, remembered_measure
from simulators.faults import parse_fault
from simulators.model import load_model

SITE = Path(__file__).parents[3] / "simulators" / "sites" / "taichung.yaml"
NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)  # the 25th in Taichung


def test_the_fault_lasts_until_the_end_of_the_day_of_the_work():
    fault = parse_fault(load_model(SITE), DemoMeasure(date(2026, 9, 11)).fault)
    assert fault.equipment_id == "ltb-fl04-meter"
    assert fault.end == datetime(2026, 9, 11, 16, tzinfo=UTC).timestamp()


def test_the_day_is_kept_and_an_older_folder_has_none(tmp_path: Path):
    first = remembered_measure(tmp_path, NOW)
    assert first == DemoMeasure(date(2026, 9, 11))
    (tmp_path / "secret").touch()
    assert remembered_measure(tmp_path, datetime(2027, 3, 1, tzinfo=UTC)) == first
    (tmp_path / "measure").unlink()
    assert remembered_measure(tmp_path, NOW) is None
