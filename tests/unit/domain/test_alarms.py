"""Moves between alarm states, with the time given."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from energy_center.domain.alarms import (
    Alarm,
    AlarmId,
    AlarmState,
    Priority,
    acknowledge,
    reopen,
    return_to_normal,
    shelve,
    unshelve,
)
from energy_center.errors import Conflict, Invalid

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
RAISED = Alarm(
    AlarmId(1), "sump-high-pump-off", "sump", Priority.CRITICAL, AlarmState.UNACKNOWLEDGED, NOW, NOW
)


def test_seen_then_gone_is_normal() -> None:
    seen = acknowledge(RAISED, "operator", NOW)
    assert (seen.state, seen.acknowledged_by) == (AlarmState.ACKNOWLEDGED, "operator")
    assert return_to_normal(seen, NOW).state is AlarmState.NORMAL


def test_gone_unseen_waits_to_be_seen_and_may_reopen() -> None:
    gone = return_to_normal(RAISED, NOW)
    assert (gone.state, gone.returned_at) == (AlarmState.RETURNED_UNACKNOWLEDGED, NOW)
    assert gone.state.is_open
    assert not gone.state.is_active
    assert acknowledge(gone, "operator", NOW).state is AlarmState.NORMAL
    assert reopen(gone).state is AlarmState.UNACKNOWLEDGED


@pytest.mark.parametrize("state", [AlarmState.ACKNOWLEDGED, AlarmState.NORMAL])
def test_nothing_is_acknowledged_twice(state: AlarmState) -> None:
    with pytest.raises(Conflict):
        acknowledge(replace(RAISED, state=state), "operator", NOW)


def test_only_a_returned_alarm_reopens() -> None:
    with pytest.raises(Conflict):
        reopen(RAISED)


def test_shelving_hides_until_its_time() -> None:
    aside = shelve(RAISED, NOW + timedelta(hours=1), NOW)
    assert aside.is_shelved(NOW + timedelta(minutes=59))
    assert not aside.is_shelved(NOW + timedelta(hours=1))
    assert unshelve(aside).shelved_until is None
    with pytest.raises(Conflict):
        unshelve(RAISED)


@pytest.mark.parametrize("hours", [0, -1, 24 * 7 + 1])
def test_shelving_ends_within_a_week(hours: float) -> None:
    with pytest.raises(Invalid):
        shelve(RAISED, NOW + timedelta(hours=hours), NOW)


def test_priorities_rank_by_urgency() -> None:
    assert sorted(Priority, key=lambda p: p.rank)[0] is Priority.CRITICAL
