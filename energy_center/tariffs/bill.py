"""The bill of a period: every line with its quantity, price and clause, rounded once at the end.

Order, as the tariff book reckons: basic and energy charge, power factor on both, over-contract, charge per
account, then the industry factor on all of it, then tax. Charges per month are shared by days between the
segments of a period that a change of price, season or contract cuts.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from energy_center.errors import Invalid
from energy_center.tariffs.bill_lines import (
    basic_lines,
    customer_lines,
    demand_lines,
    energy_lines,
    item_lines,
    levy_lines,
    over_contract_lines,
    rider_lines,
)
from energy_center.tariffs.bill_model import WHOLE, Account, Bill, BillingPeriod, Line, Segment, Use
from energy_center.tariffs.bill_notes import notes_of
from energy_center.tariffs.charges import LineKind
from energy_center.tariffs.measure import Measured, use_of
from energy_center.tariffs.part import Part
from energy_center.tariffs.power_factor import adjustment, to_step
from energy_center.tariffs.split_period import split_period
from energy_center.tariffs.tariff_model import Edition, Tariff

_ADJUSTED = (LineKind.BASIC, LineKind.ENERGY, LineKind.ENERGY_ABOVE)
_MAKERS: tuple[Callable[[Part], list[Line]], ...] = (
    basic_lines,
    customer_lines,
    demand_lines,
    energy_lines,
    rider_lines,
    item_lines,
    over_contract_lines,
    levy_lines,
)


def bill_series(
    tariff: Tariff,
    account: Account,
    period: BillingPeriod,
    series: Measured,
    power_factor_pct: Decimal | None = None,
) -> Bill:
    """Bill a period from intervals. Raises NotFound or Invalid as `split_period` does."""
    segments = split_period(tariff, account, period)
    return bill_uses(
        account, period, segments, [use_of(s, account, series) for s in segments], power_factor_pct
    )


def bill_uses(
    account: Account,
    period: BillingPeriod,
    segments: Sequence[Segment],
    uses: Sequence[Use],
    power_factor_pct: Decimal | None = None,
) -> Bill:
    """Bill a period from what each of its segments used. Raises Invalid when they are not equally many."""
    if not segments or len(segments) != len(uses):
        raise Invalid(f"{len(segments)} segments need as many uses, found {len(uses)}")
    edition = segments[-1].edition
    zero = _is_zero_use(uses)
    parts = [
        Part(account, period, segment, use, is_zero_use=zero)
        for segment, use in zip(segments, uses, strict=True)
    ]
    lines = [line for make in _MAKERS for part in parts for line in make(part)]
    lines = _rounded(edition, lines)
    lines += _rounded(edition, _power_factor_lines(edition, segments, lines, power_factor_pct))
    lines += _rounded(edition, _minimum_lines(edition, period, lines))
    lines += _rounded(edition, _factor_lines(edition, account, lines))
    lines += _rounded(edition, _vat_lines(edition, account, lines))
    lines.sort(key=lambda line: list(LineKind).index(line.kind))
    exact = _sum(lines)
    total = to_step(exact, edition.charges.rounding.total)
    covered = sum(use.coverage * segment.days for segment, use in zip(segments, uses, strict=True))
    return Bill(
        tariff_id=edition.tariff_id,
        name=edition.name,
        currency=edition.currency,
        period=period,
        segments=tuple(segments),
        uses=tuple(uses),
        lines=tuple(lines),
        exact=exact,
        total=total,
        vat_within=_vat_within(edition, account, total),
        coverage=covered / sum(segment.days for segment in segments),
        missing=tuple(span for use in uses for span in use.missing),
        notes=notes_of(account, segments, uses, power_factor_pct, is_zero_use=zero),
        power_factor_pct=power_factor_pct,
    )


def _sum(lines: Sequence[Line]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


def _rounded(edition: Edition, lines: list[Line]) -> list[Line]:
    step = edition.charges.rounding.line
    if step is None:
        return lines
    return [replace(line, amount=to_step(line.amount, step)) for line in lines]


def _is_zero_use(uses: Sequence[Use]) -> bool:
    """Whether nothing was used; with gaps that is not known."""
    whole = all(use.coverage >= WHOLE for use in uses)
    return whole and not any(any(use.energy.values()) or any(use.demand_kw.values()) for use in uses)


def _power_factor_lines(
    edition: Edition, segments: Sequence[Segment], lines: Sequence[Line], power_factor_pct: Decimal | None
) -> list[Line]:
    rule = edition.charges.power_factor
    contract = segments[-1].contract
    if rule is None or power_factor_pct is None:
        return []
    if contract is not None and sum(contract.kw.values()) < rule.least_contract_kw:
        return []
    counted, share = adjustment(rule, power_factor_pct)
    base = _sum([line for line in lines if line.kind in _ADJUSTED])
    return [_share_line(LineKind.POWER_FACTOR, f"{counted.normalize():f}", base, share, edition)]


def _minimum_lines(edition: Edition, period: BillingPeriod, lines: Sequence[Line]) -> list[Line]:
    if edition.charges.minimum is None:
        return []
    short = edition.charges.minimum * period.months - _sum(lines)
    return [_share_line(LineKind.MINIMUM, "minimum", short, Decimal(1), edition)] if short > 0 else []


def _factor_lines(edition: Edition, account: Account, lines: Sequence[Line]) -> list[Line]:
    if account.industry_factor == 1:
        return []
    return [_share_line(LineKind.FACTOR, "factor", _sum(lines), account.industry_factor - 1, edition)]


def _vat_lines(edition: Edition, account: Account, lines: Sequence[Line]) -> list[Line]:
    vat = edition.vat
    if vat.included and account.vat_exempt:
        return [_share_line(LineKind.VAT, "exempt", _sum(lines) / (1 + vat.rate), -vat.rate, edition)]
    if not vat.included and vat.rate and not account.vat_exempt:
        return [_share_line(LineKind.VAT, "added", _sum(lines), vat.rate, edition)]
    return []


def _vat_within(edition: Edition, account: Account, total: Decimal) -> Decimal:
    if account.vat_exempt:
        return Decimal(0)
    within = total - total / (1 + edition.vat.rate)
    return within.quantize(edition.charges.rounding.total, ROUND_HALF_UP)


def _share_line(kind: LineKind, key: str, base: Decimal, share: Decimal, edition: Edition) -> Line:
    return Line(
        kind=kind,
        key=key,
        label=None,
        quantity=base,
        unit=edition.currency,
        price=share,
        amount=base * share,
        clause=edition.clause(kind),
        edition=edition.edition,
    )
