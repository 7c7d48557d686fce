"""Plans Modbus reads: from points to the fewest block reads that a device bears. Pure.

Points of one unit, table and interval are merged across gaps up to a limit, never across a hole; a value is
never split.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby

from energy_center.config.bindings import Device, ModbusSource, PointBinding, ReadLimits, Table

MAX_BITS = 2000  # Modbus application protocol V1.1b3, 6.1: coils in one request
MAX_REGISTERS = 125  # same, 6.3


@dataclass(frozen=True, slots=True, eq=False)
class RegisterBlock:
    """One request: `count` registers (or bits) of a unit from `address`, and the points inside.

    With `models`, `address` counts from the start of the first of these SunSpec models that the device has.
    """

    device_id: str
    unit_id: int
    table: Table
    address: int
    count: int
    interval_s: float
    bindings: tuple[PointBinding, ...]
    models: tuple[int, ...] = ()


def source_of(binding: PointBinding) -> ModbusSource:
    """The binding's place in a Modbus unit; any other protocol is a bug of the caller."""
    if not isinstance(binding.source, ModbusSource):
        raise TypeError(f"{binding.key} is not a Modbus point")
    return binding.source


def plan_reads(devices: Iterable[Device], bindings: Iterable[PointBinding]) -> list[RegisterBlock]:
    """The block reads that cover every binding on its interval, by unit, table, interval and address.

    A point of another interval that lies whole inside a block is taken along: its registers come anyway.
    """
    limits = {d.device_id: d.limits for d in devices}
    ordered = sorted(bindings, key=_order)
    blocks = []
    for _, unit_and_table in groupby(ordered, key=lambda b: _order(b)[:3]):
        there = list(unit_and_table)
        for _, same_interval in groupby(there, key=lambda b: b.interval_s):
            blocks += [_with_passengers(_block(run), there) for run in _runs(list(same_interval), limits)]
    return blocks


def _with_passengers(block: RegisterBlock, there: Sequence[PointBinding]) -> RegisterBlock:
    own = {b.key for b in block.bindings}
    end = block.address + block.count
    inside = [
        b
        for b in there
        if b.key not in own and source_of(b).start >= block.address and source_of(b).end <= end
    ]
    if not inside:
        return block
    together = sorted([*block.bindings, *inside], key=lambda b: (source_of(b).start, source_of(b).end))
    return replace(block, bindings=tuple(together))


def _order(binding: PointBinding) -> tuple[int, Table, tuple[int, ...], float, int, int]:
    source = source_of(binding)
    return (source.unit_id, source.table, source.models, binding.interval_s, source.start, source.end)


def _runs(ordered: Sequence[PointBinding], limits: dict[str, ReadLimits]) -> list[list[PointBinding]]:
    runs: list[list[PointBinding]] = []
    start = end = 0
    for binding in ordered:
        source = source_of(binding)
        bears = limits.get(binding.device_id, ReadLimits())
        most = MAX_BITS if source.table.is_bits else min(bears.max_registers, MAX_REGISTERS)
        fits = (
            max(end, source.end) - start <= most
            and source.start - end <= bears.max_gap
            and not _is_hole_between(bears.holes, end, source.start)
        )
        if runs and fits:
            runs[-1].append(binding)
            end = max(end, source.end)
        else:
            runs.append([binding])
            start, end = source.start, source.end
    return runs


def _is_hole_between(holes: Sequence[tuple[int, int]], end: int, address: int) -> bool:
    return any(first < address and last >= end for first, last in holes)


def _block(run: Sequence[PointBinding], interval_s: float | None = None) -> RegisterBlock:
    first = source_of(run[0])
    start = min(source_of(b).start for b in run)
    end = max(source_of(b).end for b in run)
    return RegisterBlock(
        device_id=run[0].device_id,
        unit_id=first.unit_id,
        table=first.table,
        address=start,
        count=end - start,
        interval_s=run[0].interval_s if interval_s is None else interval_s,
        bindings=tuple(run),
        models=first.models,
    )


def cut(block: RegisterBlock) -> list[RegisterBlock]:
    """The block in two parts, at its widest gap, else in the middle; empty when it has one value.

    Registers that no value uses are the likeliest to be refused.
    """
    if len(block.bindings) < 2:  # noqa: PLR2004  two parts need two values
        return []
    ordered = sorted(block.bindings, key=lambda b: (source_of(b).start, source_of(b).end))
    ends = list(accumulate((source_of(b).end for b in ordered), max))
    gaps = [source_of(b).start - end for b, end in zip(ordered[1:], ends[:-1], strict=True)]
    at = gaps.index(max(gaps)) + 1 if max(gaps) > 0 else len(ordered) // 2
    return [_block(part, block.interval_s) for part in (ordered[:at], ordered[at:])]


def join(blocks: Sequence[RegisterBlock]) -> list[RegisterBlock]:
    """Parts of one block, put together again where one ends at the address at which the next begins."""
    joined: list[RegisterBlock] = []
    for block in sorted(blocks, key=lambda b: b.address):
        last = joined[-1] if joined else None
        if last is not None and last.address + last.count == block.address:
            joined[-1] = _block([*last.bindings, *block.bindings], block.interval_s)
        else:
            joined.append(block)
    return joined
