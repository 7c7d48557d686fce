from collectors.circuit import BusHealth, Circuit, full_jitter
from collectors.spread import next_slot, phase_of
from tests.unit.collectors.fixed_random import seeded


def test_third_miss_in_a_row_opens_the_circuit_once() -> None:
    circuit, rng = Circuit(), seeded(1)
    assert [circuit.missed(now, 1.0, rng) for now in (0.0, 5.0, 10.0, 30.0)] == [False, False, True, False]


def test_an_answer_between_misses_starts_the_count_again() -> None:
    circuit, rng = Circuit(), seeded(1)
    circuit.missed(0.0, 1.0, rng)
    circuit.missed(5.0, 1.0, rng)
    circuit.answered()
    assert not circuit.missed(10.0, 1.0, rng)
    assert not circuit.is_open


def test_first_answer_and_the_return_are_news_the_rest_is_not() -> None:
    circuit, rng = Circuit(), seeded(1)
    assert [circuit.answered(), circuit.answered()] == [True, False]
    for now in (0.0, 5.0, 10.0):
        circuit.missed(now, 1.0, rng)
    assert circuit.answered()


def test_a_silent_device_takes_at_most_a_tenth_of_its_bus() -> None:
    health, rng = BusHealth(), seeded(7)
    health.circuit("good")
    spent, now = 0.0, 0.0
    while now < 3600:
        if health.allows("dead", now):
            now += 1.0  # the time-out
            spent += 1.0
            health.missed("dead", now, 1.0, rng)
        now += 0.1
    assert spent <= 0.1 * 3600


def test_many_silent_devices_share_that_tenth() -> None:
    health, rng = BusHealth(), seeded(7)
    dead = [f"dead-{n}" for n in range(20)]
    spent, now = 0.0, 0.0
    while now < 3600:
        for name in dead:
            if health.allows(name, now):
                now += 1.0
                spent += 1.0
                health.missed(name, now, 1.0, rng)
        now += 0.1
    assert spent <= 0.1 * 3600 + 3 * len(dead)  # before its third miss each is still asked normally


def test_when_a_silent_line_speaks_again_all_devices_may_be_asked_at_once() -> None:
    health, rng = BusHealth(), seeded(7)
    for n in range(3):
        for now in (0.0, 5.0, 10.0):
            health.missed(f"d{n}", now, 1.0, rng)
    assert health.is_silent
    assert not health.allows("d1", 12.0)
    health.answered("d0")
    assert health.allows("d1", 12.0)


def test_full_jitter_is_spread_below_a_doubling_ceiling() -> None:
    rng = seeded(3)
    waits = [full_jitter(3, rng) for _ in range(500)]
    assert 0 <= min(waits) < 0.2
    assert 3.8 < max(waits) <= 4.0
    assert full_jitter(30, rng) <= 60.0


def test_slots_lie_on_a_grid_and_missed_ones_are_left_out() -> None:
    assert next_slot(100.0, 2.0, 5.0) == 102.0
    assert next_slot(102.0, 2.0, 5.0) == 107.0
    assert next_slot(123.4, 2.0, 5.0) == 127.0


def test_phases_differ_by_name_and_stay_after_a_restart() -> None:
    phases = [phase_of(f"meter-{n}", 60.0) for n in range(50)]
    assert phases == [phase_of(f"meter-{n}", 60.0) for n in range(50)]
    assert all(0 <= p < 60 for p in phases)
    assert len({round(p) for p in phases}) > 25
