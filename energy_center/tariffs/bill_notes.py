"""What a reader must know beside the lines of a bill: what is missing, unsure or unusual."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from energy_center.tariffs.bill_model import WHOLE, Account, Note, NoteKind, Segment, Use
from energy_center.tariffs.over_contract import excesses
from energy_center.tariffs.tariff_model import Charges


def notes_of(
    account: Account,
    segments: Sequence[Segment],
    uses: Sequence[Use],
    power_factor_pct: Decimal | None,
    *,
    is_zero_use: bool,
) -> tuple[Note, ...]:
    """All notes in the order of their weight."""
    return (
        *_provisional(segments, uses),
        *_peak_of_measured(segments, uses),
        *_unconfirmed(segments),
        *_unknowns(segments, uses, power_factor_pct),
        *_contracts(segments, uses),
        *([Note(NoteKind.ZERO_USE)] if is_zero_use else []),
        *_split(account, segments),
    )


def _provisional(segments: Sequence[Segment], uses: Sequence[Use]) -> Iterator[Note]:
    days = sum(segment.days for segment in segments)
    covered = sum(use.coverage * segment.days for segment, use in zip(segments, uses, strict=True)) / days
    if covered >= WHOLE:
        return
    missing = [span for use in uses for span in use.missing]
    facts = {"coverage": f"{covered:.1%}", "spans": str(len(missing))}
    if missing:
        zone = segments[0].edition.zone
        facts["first"] = missing[0].start.astimezone(zone).isoformat(timespec="minutes")
        facts["hours"] = f"{sum(span.hours for span in missing):.2f}"
    yield Note(NoteKind.PROVISIONAL, facts)


def _peak_of_measured(segments: Sequence[Segment], uses: Sequence[Use]) -> Iterator[Note]:
    pairs = zip(segments, uses, strict=True)
    by_demand = [use for segment, use in pairs if _is_by_demand(segment.edition.charges)]
    missing = [span for use in by_demand for span in use.missing]
    if missing:
        hours = f"{sum(span.hours for span in missing):.2f}"
        yield Note(NoteKind.PEAK_OF_MEASURED, {"hours": hours, "spans": str(len(missing))})


def _is_by_demand(charges: Charges) -> bool:
    return charges.capacity is not None or bool(charges.demand)


def _unconfirmed(segments: Sequence[Segment]) -> Iterator[Note]:
    for edition in dict.fromkeys(s.edition.edition for s in segments if not s.edition.source.confirmed):
        yield Note(NoteKind.UNCONFIRMED, {"edition": edition})


def _unknowns(
    segments: Sequence[Segment], uses: Sequence[Use], power_factor_pct: Decimal | None
) -> Iterator[Note]:
    rule = segments[-1].edition.charges.power_factor
    contract = segments[-1].contract
    large = contract is None or rule is None or sum(contract.kw.values()) >= rule.least_contract_kw
    if rule is not None and power_factor_pct is None and large:
        yield Note(NoteKind.NO_POWER_FACTOR)
    for segment, use in zip(segments, uses, strict=True):
        capacity = segment.edition.charges.capacity
        if capacity is None or capacity.over is None:
            continue
        steps = capacity.over.rounds.get(segment.season, ())
        bands = [step.band for step in steps if step.band not in use.demand_kw and use.energy.get(step.band)]
        if bands:
            yield Note(NoteKind.NO_DEMAND, {"bands": ", ".join(bands)})


def _contracts(segments: Sequence[Segment], uses: Sequence[Use]) -> Iterator[Note]:
    for segment, use in zip(segments, uses, strict=True):
        capacity, contract = segment.edition.charges.capacity, segment.contract
        if capacity is None or contract is None:
            continue
        held = sum(contract.kw.values())
        if held < capacity.least_kw:
            yield Note(NoteKind.BELOW_LEAST, {"kw": f"{held}", "least_kw": f"{capacity.least_kw}"})
        if capacity.over is None:
            continue
        for excess in excesses(capacity.over, segment.season, contract, use.demand_kw):
            if excess.limit_kw and excess.demand_kw > 2 * excess.limit_kw:
                facts = {"band": excess.step.band, "demand_kw": f"{excess.demand_kw:.0f}"}
                yield Note(NoteKind.OVER_TWICE, facts | {"contract_kw": f"{excess.limit_kw:.0f}"})


def _split(account: Account, segments: Sequence[Segment]) -> Iterator[Note]:
    if len(segments) == 1:
        return
    edges = ", ".join(segment.first.isoformat() for segment in segments[1:])
    yield Note(NoteKind.SPLIT, {"from": edges, "contracts": str(len(account.contracts))})
