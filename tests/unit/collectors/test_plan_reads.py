from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.plan_reads import RegisterBlock, cut, join, plan_reads, source_of
from energy_center.config.bindings import PointBinding, ReadLimits, RegisterType, Table
from tests.unit.collectors.builders import device, register, spans

KINDS = st.sampled_from([RegisterType.U16, RegisterType.I32, RegisterType.F32, RegisterType.F64])
LIMITS = st.builds(
    ReadLimits, max_registers=st.integers(4, 125), max_gap=st.integers(0, 40), max_in_flight=st.just(1)
)
POINTS = st.lists(
    st.builds(
        register,
        st.integers(0, 600),
        KINDS,
        unit_id=st.integers(1, 3),
        table=st.sampled_from([Table.HOLDING, Table.INPUT]),
        interval_s=st.sampled_from([5.0, 30.0]),
    ),
    max_size=20,
    unique_by=lambda b: b.key,
)


def planned(points: list[PointBinding], limits: ReadLimits) -> list[RegisterBlock]:
    return plan_reads([device(n, limits) for n in (1, 2, 3)], points)


@settings(max_examples=30, deadline=None)
@given(POINTS, LIMITS)
def test_every_point_is_read_whole_on_its_own_interval(
    points: list[PointBinding], limits: ReadLimits
) -> None:
    blocks = planned(points, limits)
    for point in points:
        source = source_of(point)
        homes = [b for b in blocks if point in b.bindings and b.interval_s == point.interval_s]
        assert len(homes) == 1
        (home,) = homes
        assert (home.unit_id, home.table) == (source.unit_id, source.table)
        assert home.address <= source.address
        assert source.end <= home.address + home.count


@settings(max_examples=30, deadline=None)
@given(POINTS, LIMITS)
def test_no_block_asks_for_more_than_the_device_bears(points: list[PointBinding], limits: ReadLimits) -> None:
    assert all(1 <= b.count <= limits.max_registers for b in planned(points, limits))


@settings(max_examples=30, deadline=None)
@given(POINTS, LIMITS)
def test_no_block_reads_across_a_longer_gap_than_allowed(
    points: list[PointBinding], limits: ReadLimits
) -> None:
    for block in planned(points, limits):
        own = [source_of(b) for b in block.bindings if b.interval_s == block.interval_s]
        end = block.address
        for source in sorted(own, key=lambda s: s.address):
            assert source.address - end <= limits.max_gap
            end = max(end, source.end)


@settings(max_examples=30, deadline=None)
@given(POINTS)
def test_order_of_the_points_does_not_matter(points: list[PointBinding]) -> None:
    assert spans(planned(points, ReadLimits())) == spans(planned(points[::-1], ReadLimits()))


def test_sdm630_map_of_52_points_takes_three_requests() -> None:
    # wire addresses of an Eastron SDM630, as the public mbmd map lists them; three requests at gap 16
    addresses = [
        *range(0, 36, 2), 42, 46, 48, 52, 56, 60, 62, 66, 70, 72, 74, 76, 78, 84, 86, 88,
        *range(200, 208, 2), 224, 234, 236, 238, 240, 242, 244, 248, 250,
        334, 336, 338, 342, 344,
    ]  # fmt: skip
    assert len(addresses) == 52
    blocks = plan_reads([device()], [register(a, table=Table.INPUT) for a in addresses])
    assert len(blocks) == 3


def test_a_point_of_another_interval_inside_a_block_is_taken_along() -> None:
    slow = [register(0, interval_s=60), register(4, interval_s=60)]
    fast = register(2, interval_s=5)
    blocks = plan_reads([device()], [*slow, fast])
    by_interval = {b.interval_s: [source_of(x).address for x in b.bindings] for b in blocks}
    assert by_interval == {5: [2], 60: [0, 2, 4]}


def test_refused_block_is_cut_between_values_until_one_is_left() -> None:
    (block,) = plan_reads([device()], [register(a) for a in (0, 2, 4)])
    left, right = cut(block)
    assert spans([left, right]) == [(0, 2), (2, 4)]
    assert cut(left) == []


def test_refused_block_is_cut_at_its_widest_gap_first() -> None:
    (block,) = plan_reads([device()], [register(a) for a in (0, 4, 6, 20, 22, 24, 26)])
    assert spans(cut(block)) == [(0, 8), (20, 8)]


def test_good_parts_join_where_nothing_lies_between_them() -> None:
    parts = [plan_reads([device()], [register(a)])[0] for a in (8, 0, 2, 6)]
    assert spans(join(parts)) == [(0, 4), (6, 4)]


def test_no_block_touches_a_hole() -> None:
    holed = ReadLimits(holes=((4, 5),))
    assert spans(planned([register(a) for a in (0, 2, 6, 8)], holed)) == [(0, 4), (6, 4)]
