"""The utility's account of a building, from what its site file says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from energy_center.config.site_model import AccountEntry
from energy_center.domain.site import Space
from energy_center.errors import NotFound
from energy_center.services.tariff_catalogue import tariff
from energy_center.tariffs.bill_model import Account, Contract
from energy_center.tariffs.tariff_model import Tariff

_ALWAYS = date(1970, 1, 1)  # a contract without a date is taken to have held always


@dataclass(frozen=True, slots=True)
class BuildingAccount:
    """Tariff and account of a building; `power_factors` by month as `2026-07`, percent, as printed."""

    tariff: Tariff
    account: Account
    power_factors: Mapping[str, Decimal] = field(default_factory=dict)


def account_of(building: Space) -> BuildingAccount:
    """Read it from the space's attributes. Raises NotFound without a tariff or with one that is not known."""
    tariff_id = building.attributes.get("tariff")
    if not isinstance(tariff_id, str):
        raise NotFound(f"The building {building.space_id} has no tariff; write `tariff:` in the site file")
    given = building.attributes.get("account")
    entry = AccountEntry.model_validate(given) if given else AccountEntry()
    return BuildingAccount(
        tariff(tariff_id),
        Account(
            contracts=_contracts(entry, building.attributes.get("contract_kw"), tariff(tariff_id)),
            industry_factor=Decimal(str(building.attributes.get("industry_factor", 1))),
            vat_exempt=entry.vat_exempt,
            connection=entry.connection,
            told_days=frozenset(entry.told_days),
            items={name: Decimal(str(count)) for name, count in entry.items.items()},
        ),
        {month: Decimal(str(percent)) for month, percent in entry.power_factors.items()},
    )


def _contracts(entry: AccountEntry, contract_kw: object, plan: Tariff) -> tuple[Contract, ...]:
    if entry.contracts:
        return tuple(
            Contract(c.since, {kind: Decimal(str(kw)) for kind, kw in c.kw.items()}) for c in entry.contracts
        )
    capacity = plan.editions[-1].charges.capacity
    if capacity is None or not isinstance(contract_kw, int | float):
        return ()
    return (Contract(_ALWAYS, {next(iter(capacity.contracts)): Decimal(str(contract_kw))}),)
