"""What a fault run's row says, and that the table covers what it must."""

from collections import Counter
from dataclasses import replace

from energy_center.cli.fault_ledger import Ledger
from energy_center.cli.fault_report import as_page, row_of
from energy_center.cli.fault_system import SYSTEM_FAULTS
from energy_center.cli.fault_table import BROKER_FAULTS, DEVICE_WAVES
from energy_center.cli.faults import NAMES

A, B = ("meter", "active_power"), ("meter", "frequency")
NO_FAULT = SYSTEM_FAULTS[0]


def ledger(sent: dict, stored: dict, unsure: dict | None = None) -> Ledger:
    return Ledger(Counter(sent), Counter(unsure or {}), Counter(stored))


def test_what_is_missing_is_lost_and_what_is_too_much_is_doubled_point_by_point() -> None:
    row = row_of(NO_FAULT, ledger({A: 5, B: 5}, {A: 4, B: 6}), 1.0)
    assert (row.lost, row.doubled, row.ok) == (1, 1, False)


def test_what_came_near_the_limit_may_be_stored_or_not() -> None:
    kept = row_of(NO_FAULT, ledger({A: 5}, {A: 6}, {A: 1}), 1.0)
    missed = row_of(NO_FAULT, ledger({A: 5}, {A: 5}, {A: 1}), 1.0)
    assert (kept.ok, missed.ok) == (True, True)
    assert (kept.served, missed.served) == (6, 5)


def test_run_in_which_nothing_was_given_proves_nothing() -> None:
    assert not row_of(NO_FAULT, ledger({}, {}), 1.0).ok


def test_counts_since_an_earlier_time_leave_out_what_differed_then() -> None:
    before = ledger({A: 5}, {A: 4})
    assert ledger({A: 9}, {A: 8}).since(before).is_even


def test_page_names_every_row_and_how_many_held() -> None:
    held = row_of(NO_FAULT, ledger({A: 5}, {A: 5}), 1.0)
    page = as_page([held, replace(held, name="other", ok=False)], how="`make faults`", took_s=60.0)
    assert "**1 of 2 faults ended as they must.**" in page
    assert "| other |" in page
    assert "NOT OK" in page


def test_every_fault_has_a_name_of_its_own_and_says_what_must_hold() -> None:
    faults = [f for wave in DEVICE_WAVES for f in wave] + [*BROKER_FAULTS, *SYSTEM_FAULTS]
    assert len(set(NAMES)) == len(faults) >= 90
    assert all(f.happens and f.must_hold for f in faults)
