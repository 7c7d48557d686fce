"""A billing period cut where prices, season or contract change."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby

from energy_center.errors import Invalid, NotFound
from energy_center.tariffs.bill_model import Account, BillingPeriod, Contract, Segment
from energy_center.tariffs.tariff_model import Edition, Tariff

ONE_DAY = timedelta(days=1)
MOST_DAYS = 400


def split_period(tariff: Tariff, account: Account, period: BillingPeriod) -> tuple[Segment, ...]:
    """The segments of a period in order, each with one edition, season and contract.

    Raises NotFound naming the days that no edition covers, Invalid where the tariff needs a contract and none
    is known for a day, where a contract names a kind that the tariff does not have, or for a period too long.
    """
    if period.days > MOST_DAYS:
        raise Invalid(f"A billing period has at most {MOST_DAYS} days, found {period.days}")
    _check_editions(tariff, period)
    segments: list[Segment] = []
    for (edition_id, season, _), days in groupby(_days(period), lambda on: _key(tariff, account, on)):
        held = list(days)
        edition = next(e for e in tariff.editions if e.edition == edition_id)
        contract = account.contract_on(held[0])
        _check_contract(edition, contract, held[0])
        segments.append(Segment(edition, season, contract, held[0], held[-1] + ONE_DAY))
    return tuple(segments)


def _days(period: BillingPeriod) -> Iterator[date]:
    return (period.first + timedelta(days=n) for n in range(period.days))


def _key(tariff: Tariff, account: Account, on: date) -> tuple[str, str, date | None]:
    edition = tariff.edition_at(on)
    contract = account.contract_on(on)
    return edition.edition, edition.season(on), contract.valid_from if contract else None


def _check_editions(tariff: Tariff, period: BillingPeriod) -> None:
    bare = [on for on in _days(period) if not any(e.covers(on) for e in tariff.editions)]
    if not bare:
        return
    known = "; ".join(f"{e.edition} from {e.valid_from} to {e.valid_to or 'now'}" for e in tariff.editions)
    raise NotFound(
        f"No edition of the tariff {tariff.tariff_id} covers {len(bare)} of {period.days} days, "
        f"{bare[0]} to {bare[-1]}. Known: {known}"
    )


def _check_contract(edition: Edition, contract: Contract | None, on: date) -> None:
    capacity = edition.charges.capacity
    if capacity is None:
        return
    if contract is None:
        raise Invalid(f"The tariff {edition.tariff_id} needs a contract, and none is known for {on}")
    unknown = sorted(contract.kw.keys() - capacity.contracts.keys())
    if unknown:
        raise Invalid(
            f"The contract of {contract.valid_from} names {', '.join(unknown)}; the tariff "
            f"{edition.tariff_id} has: {', '.join(capacity.contracts)}"
        )
