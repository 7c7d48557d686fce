"""The alarm as a state machine: any order of moves by rules, clock and people."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from energy_center.domain import alarms
from energy_center.domain.alarms import Alarm, AlarmId, AlarmState, Priority, Suppression
from energy_center.errors import Conflict, Invalid


class AlarmLife(RuleBasedStateMachine):
    """Any order of what the rules, the clock and people do: what must hold after every move."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 11, 24, tzinfo=UTC)
        self.alarm = Alarm(AlarmId(1), "r", "e", Priority.HIGH, AlarmState.UNACKNOWLEDGED, self.now, self.now)

    def _try(self, move: Callable[[Alarm], Alarm]) -> None:
        self.now += timedelta(minutes=1)
        with contextlib.suppress(Conflict, Invalid):
            self.alarm = move(self.alarm)

    @rule()
    def acknowledge(self) -> None:
        was = self.alarm.state
        self._try(lambda a: alarms.acknowledge(a, "kim", self.now))
        if was is AlarmState.RETURNED_UNACKNOWLEDGED:
            assert self.alarm.state is AlarmState.NORMAL

    @rule()
    def condition_goes(self) -> None:
        move = alarms.latch if self.alarm.chattering else alarms.return_to_normal
        self._try(lambda a: move(a, self.now))

    @rule()
    def condition_is_back(self) -> None:
        latched = self.alarm.latched_at is not None
        self._try(alarms.unlatch if latched else alarms.reopen)

    @rule()
    def quiet_is_over(self) -> None:
        if self.alarm.latched_at is not None:
            self._try(lambda a: alarms.return_to_normal(a, self.now))

    @rule()
    def flag_chatter(self) -> None:
        self._try(alarms.chatter)

    @rule(hours=strategies.integers(-1, 200))
    def shelve(self, hours: int) -> None:
        self._try(lambda a: alarms.shelve(a, self.now + timedelta(hours=hours), self.now))

    @rule()
    def unshelve(self) -> None:
        self._try(alarms.unshelve)

    @rule(why=strategies.sampled_from(Suppression))
    def hide(self, why: Suppression) -> None:
        self._try(lambda a: alarms.hide(a, why, "alarm/7"))

    @rule()
    def release(self) -> None:
        self._try(alarms.release)

    @rule()
    def withdraw(self) -> None:
        self._try(lambda a: alarms.withdraw(a, self.now))

    @invariant()
    def holds(self) -> None:
        alarm = self.alarm
        assert (alarm.suppressed_by is None) == (alarm.suppression is None)
        assert alarm.state.is_active == (alarm.returned_at is None)
        assert not alarm.chattering or alarm.state.is_active
        assert alarm.latched_at is None or alarm.chattering
        assert alarm.state is not AlarmState.ACKNOWLEDGED or alarm.acknowledged_by is not None
        assert alarm.withdrawn_at is None or alarm.state is AlarmState.NORMAL
        assert not (alarm.is_standing(self.now) and alarm.is_hidden)


TestAlarmLife = AlarmLife.TestCase
TestAlarmLife.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


def test_a_hidden_alarm_ends_without_waiting_for_a_person() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    alarm = Alarm(AlarmId(1), "r", "e", Priority.LOW, AlarmState.UNACKNOWLEDGED, now, now)
    hidden = alarms.hide(alarm, Suppression.DESIGN, "alarm/7")
    assert alarms.return_to_normal(hidden, now).state is AlarmState.NORMAL
    assert alarms.return_to_normal(alarm, now).state is AlarmState.RETURNED_UNACKNOWLEDGED


def test_a_standing_alarm_has_been_listed_for_over_a_day() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    alarm = Alarm(AlarmId(1), "r", "e", Priority.LOW, AlarmState.ACKNOWLEDGED, now, now)
    assert not alarm.is_standing(now + timedelta(hours=24))
    assert alarm.is_standing(now + timedelta(hours=24, seconds=1))
