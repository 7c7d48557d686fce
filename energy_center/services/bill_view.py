"""A bill as programs and pages get it: flat, without the tables it was made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from energy_center.domain.site import Text
from energy_center.tariffs.bill_model import Bill, Line, NoteKind
from energy_center.tariffs.charges import LineKind


@dataclass(frozen=True, slots=True)
class LineView:
    """One line: `amount` = `quantity` x `price` x `times` x `days` / `of_days`.

    `key`: band, contract kind or the like. `label`: its name where the tariff gives one. `unit` of the
    quantity. `price` is money per unit, or a share where the unit is money. `coverage` 0..1 of the measured
    time, None where nothing measured enters.
    """

    kind: LineKind
    key: str
    label: Text | None
    season: str | None
    quantity: Decimal
    unit: str
    price: Decimal
    times: Decimal
    days: int
    of_days: int
    amount: Decimal
    clause: str
    edition: str
    coverage: float | None


@dataclass(frozen=True, slots=True)
class PartView:
    """Days of the bill with one edition, season and contract; `last` is included.

    `demand_kw`: highest 15-min mean by band. `contract_kw` by kind.
    """

    edition: str
    season: str
    first: date
    last: date
    contract_kw: Mapping[str, Decimal]
    demand_kw: Mapping[str, Decimal]
    coverage: float


@dataclass(frozen=True, slots=True)
class NoteView:
    """What a reader must know, with its facts."""

    kind: NoteKind
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BillView:
    """A bill. `exact` is the sum of the lines; `total` is rounded once, `vat_within` the tax it holds.

    Where nothing at all was measured, `energy`, `exact`, `total` and `vat_within` are None, and of the lines
    only those stay that do not depend on it. `missing` are the spans [from, to) without a whole measurement.
    `is_provisional` under 99 % coverage.
    """

    tariff_id: str
    tariff: Text
    currency: str
    first: date
    last: date
    energy: Decimal | None
    unit: str
    highest_demand_kw: Decimal | None
    power_factor_pct: Decimal | None
    lines: tuple[LineView, ...]
    exact: Decimal | None
    total: Decimal | None
    vat_within: Decimal | None
    coverage: float
    is_provisional: bool
    missing: tuple[tuple[datetime, datetime], ...]
    parts: tuple[PartView, ...]
    notes: tuple[NoteView, ...]
    sources: tuple[str, ...]


_UNMEASURED = frozenset({LineKind.BASIC, LineKind.CUSTOMER, LineKind.ITEM})
_LEAST_DAYS = 1 / 96  # a quarter-hour
_SHOWN_TO = Decimal("0.0001")  # of money: shares by days do not end


def view_bill(bill: Bill) -> BillView:
    """Flatten a bill."""
    editions = dict.fromkeys(segment.edition.edition for segment in bill.segments)
    known = {s.edition.edition: s.edition for s in bill.segments}
    # a register may tell what ran in a gap; the last moment of the month before is no reading of this one
    is_known = bill.energy != 0 or bill.coverage * bill.period.days >= _LEAST_DAYS
    shown = bill.lines if is_known else [x for x in bill.lines if x.kind in _UNMEASURED]
    demands = [kw for use in bill.uses for kw in use.demand_kw.values()]
    return BillView(
        tariff_id=bill.tariff_id,
        tariff=bill.name,
        currency=bill.currency,
        first=bill.period.first,
        last=bill.period.last,
        energy=bill.energy if is_known else None,
        unit=bill.segments[-1].edition.unit,
        highest_demand_kw=max(demands, default=None),
        power_factor_pct=None if bill.power_factor_pct is None else round(bill.power_factor_pct, 1),
        lines=tuple(_line(line) for line in shown),
        exact=bill.exact.quantize(_SHOWN_TO) if is_known else None,
        total=bill.total if is_known else None,
        vat_within=bill.vat_within if is_known else None,
        coverage=bill.coverage,
        is_provisional=bill.is_provisional,
        missing=tuple((span.start, span.end) for span in bill.missing),
        parts=_parts(bill),
        notes=tuple(NoteView(note.kind, note.facts) for note in bill.notes),
        sources=tuple(f"{known[e].source.title}; {known[e].source.published}" for e in editions),
    )


def _line(line: Line) -> LineView:
    return LineView(
        kind=line.kind,
        key=line.key,
        label=line.label,
        season=line.season,
        quantity=line.quantity.quantize(_SHOWN_TO),
        unit=line.unit,
        price=line.price,
        times=line.times,
        days=line.days,
        of_days=line.of_days,
        amount=line.amount.quantize(_SHOWN_TO),
        clause=line.clause,
        edition=line.edition,
        coverage=line.coverage,
    )


def _parts(bill: Bill) -> tuple[PartView, ...]:
    return tuple(
        PartView(
            edition=segment.edition.edition,
            season=segment.season,
            first=segment.first,
            last=date.fromordinal(segment.end.toordinal() - 1),
            contract_kw=dict(segment.contract.kw) if segment.contract else {},
            demand_kw=dict(use.demand_kw),
            coverage=use.coverage,
        )
        for segment, use in zip(bill.segments, bill.uses, strict=True)
    )
