import pytest

from collectors.check_quality import RangeCheck
from collectors.circuit import Circuit
from collectors.driver import TUPLES_KNOWN, KeysOnce
from collectors.plan_reads import RegisterBlock, plan_reads
from collectors.schedule import Due, Schedule
from collectors.tally import DeviceTally, RoundTrips
from tests.unit.collectors.builders import device, register
from tests.unit.collectors.fixed_random import seeded


def due(address: int, at: float = 0.0) -> Due[RegisterBlock]:
    (block,) = plan_reads([device()], [register(address, interval_s=10.0)])
    return Due(at, block, RangeCheck(block.bindings), 0.0, DeviceTally(), Circuit())


def test_blocks_come_out_by_time_and_dropped_ones_do_not() -> None:
    schedule = Schedule[RegisterBlock](is_shared=False)
    late, early, gone = due(0), due(10), due(20)
    for block, at in ((late, 3.0), (early, 1.0), (gone, 2.0)):
        schedule.add(block, at)
    schedule.drop([gone])
    assert (schedule.pause_s(0.5), schedule.overdue(2.0)) == (0.5, 1)
    assert [schedule.pop(), schedule.pop()] == [early, late]


def test_block_in_flight_is_not_put_back_by_being_postponed() -> None:
    schedule = Schedule[RegisterBlock](is_shared=False)
    waiting, in_flight = due(0), due(10)
    schedule.add(waiting, 1.0)
    schedule.postpone(waiting, 50.0)
    schedule.postpone(in_flight, 50.0)
    assert [(d.at, d.slot) for d in schedule.heap] == [(50.0, 50.0)]


def test_parked_block_is_not_hastened() -> None:
    schedule = Schedule[RegisterBlock](is_shared=False)
    parked, resting = due(0), due(10)
    parked.parked = True
    schedule.add(parked, 1e12)
    schedule.add(resting, 1e12)
    schedule.hasten(seeded(5))
    assert [schedule.pop(), schedule.pop()] == [resting, parked]
    assert parked.at == 1e12 > resting.at


def test_slots_that_passed_unused_are_counted_for_the_device() -> None:
    block = due(0)
    assert [block.note_lateness(now) for now in (-5.0, 9.9, 10.0, 35.0)] == [0, 0, 1, 3]
    assert block.tally.overruns == 4


def test_answers_counted_together_fill_the_same_buckets_as_one_by_one() -> None:
    took = [0.001, 0.004, 0.004, 0.3, 9.0]
    together, alone = RoundTrips(), RoundTrips()
    together.note_all(took)
    for seconds in took:
        alone.note(seconds)
    assert together.buckets == alone.buckets
    assert together.mean_s == pytest.approx(sum(took) / 5)  # the first of all: their mean


def test_keys_are_worked_out_once_for_a_tuple_and_for_no_more_tuples_than_are_kept() -> None:
    keys = KeysOnce()
    bindings = (register(0), register(2))
    assert keys.of(bindings) is keys.of(bindings)
    assert keys.of(bindings) == (("u1", "holding_0_0"), ("u1", "holding_2_0"))
    first = register(4)
    for _ in range(TUPLES_KNOWN + 1):
        assert keys.of((first,)) == (("u1", "holding_4_0"),)
