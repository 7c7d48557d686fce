"""Bills from a meter's export alone: for people who have a file and no installation yet."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from energy_center.analysis.demand import BLOCK_S
from energy_center.analysis.grid import Step
from energy_center.domain.timeline import local_date, next_month
from energy_center.errors import Invalid
from energy_center.services.bill_building import month_period
from energy_center.services.study_export import Study
from energy_center.tariffs.bill_model import Account, BillingPeriod, Contract
from energy_center.tariffs.measure import Measured, measured
from energy_center.tariffs.tariff_model import Tariff

_ALWAYS = date(1970, 1, 1)


def series_of(found: Study, tariff: Tariff) -> Measured:
    """The file's quarter-hours. Demand is not known where values are coarser than they.

    Raises Invalid where the file's unit is not the tariff's.
    """
    unit = "kW.h" if found.export.unit == "kW" else found.export.unit
    if unit != tariff.editions[-1].unit:
        raise Invalid(f"The tariff {tariff.tariff_id} is per {tariff.editions[-1].unit}; the file has {unit}")
    cut = found.cut(Step.QUARTER)
    demand = np.full(len(cut.amount), np.nan) if found.export.interval_s > BLOCK_S else None
    return measured(np.round(cut.edges_s[:-1]).astype(np.int64), cut.amount, cut.coverage, demand)


def periods_of(found: Study, tariff: Tariff) -> list[BillingPeriod]:
    """The whole local months of a file; without any, the days from its first to its last value."""
    zone = tariff.editions[-1].zone
    begin = datetime.fromtimestamp(float(found.export.at_s[0]), UTC)
    end = datetime.fromtimestamp(max(float(found.export.end_s), float(found.export.at_s[0]) + 1), UTC)
    first, last = local_date(begin, zone), local_date(end - timedelta(seconds=1), zone)
    periods: list[BillingPeriod] = []
    month = first if first.day == 1 else next_month(first)
    while month_period(month).last <= last:
        periods.append(month_period(month))
        month = next_month(month)
    return periods or [BillingPeriod(first, last)]


def account_of_words(
    tariff: Tariff,
    contracts: Sequence[str],
    factor: Decimal,
    *,
    vat_exempt: bool,
    connection: str | None,
    told_days: Sequence[date],
    items: Sequence[str],
) -> Account:
    """An account from words such as `1200` or `half_peak=100`, a change as `2026-07-01:regular=1300`."""
    by_date: dict[date, dict[str, Decimal]] = {}
    for word in contracts:
        since, kind, kw = _contract(tariff, word)
        by_date.setdefault(since, {})[kind] = kw
    return Account(
        contracts=tuple(Contract(since, kw) for since, kw in sorted(by_date.items())),
        industry_factor=factor,
        vat_exempt=vat_exempt,
        connection=connection,
        told_days=frozenset(told_days),
        items=dict(_counted(word) for word in items),
    )


def _contract(tariff: Tariff, word: str) -> tuple[date, str, Decimal]:
    capacity = tariff.editions[-1].charges.capacity
    if capacity is None:
        raise Invalid(f"The tariff {tariff.tariff_id} has no contract; leave --contract out")
    kinds = list(capacity.contracts)
    expected = f"--contract {word}: expected KW, KIND=KW or DATE:KIND=KW with KIND one of {', '.join(kinds)}"
    since, colon, rest = word.partition(":")
    since, rest = (since, rest) if colon else ("", word)
    kind, equals, number = rest.partition("=")
    kind, number = (kind, number) if equals else (kinds[0], kind)
    try:
        begins = date.fromisoformat(since) if since else _ALWAYS
        kw = Decimal(number)
    except (ValueError, ArithmeticError) as cause:
        raise Invalid(expected) from cause
    if kind not in kinds or not kw.is_finite():
        raise Invalid(expected)
    return begins, kind, kw


def _counted(word: str) -> tuple[str, Decimal]:
    name, _, number = word.partition("=")
    try:
        return name, Decimal(number)
    except ArithmeticError as cause:
        raise Invalid(f"--item {word}: expected NAME=COUNT") from cause
