"""Bills worked by hand: files of `bills/` with every line's sum written out, read for the tests."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from energy_center.services.tariff_catalogue import tariff
from energy_center.tariffs.bill_model import Account, BillingPeriod, Contract, Use
from energy_center.tariffs.tariff_model import Tariff, join_editions

FOLDER = Path(__file__).parent / "bills"


@dataclass(frozen=True)
class WorkedBill:
    name: str
    tariff: Tariff
    account: Account
    period: BillingPeriod
    uses: tuple[Use, ...]
    power_factor_pct: Decimal | None
    lines: tuple[tuple[str, str, Decimal, Decimal, Decimal], ...]  # kind, key, quantity, price, amount
    total: Decimal


def worked_bills() -> list[WorkedBill]:
    files = sorted(FOLDER.glob("*.yaml"))
    # every number stays the text that a person wrote
    return [_read(yaml.load(f.read_text("utf-8"), Loader=yaml.BaseLoader)) for f in files]  # noqa: S506


def _read(file: Mapping[str, Any]) -> WorkedBill:
    period = file["period"]
    lines = [
        (x["kind"], x["key"], *(Decimal(x[k]) for k in ("quantity", "price", "amount")))
        for x in file["lines"]
    ]
    return WorkedBill(
        name=file["name"],
        tariff=_with_next(tariff(file["tariff"]), file.get("next_edition")),
        account=_account(file),
        period=BillingPeriod(
            date.fromisoformat(period["first"]),
            date.fromisoformat(period["last"]),
            int(period.get("months", 1)),
        ),
        uses=tuple(Use(_decimals(u["energy"]), _decimals(u.get("demand", {}))) for u in file["use"]),
        power_factor_pct=Decimal(file["power_factor"]) if "power_factor" in file else None,
        lines=tuple(lines),
        total=Decimal(file["total"]),
    )


def _decimals(numbers: Mapping[str, str]) -> dict[str, Decimal]:
    return {key: Decimal(text) for key, text in numbers.items()}


def _account(file: Mapping[str, Any]) -> Account:
    return Account(
        contracts=tuple(
            Contract(date.fromisoformat(c["from"]), _decimals({k: v for k, v in c.items() if k != "from"}))
            for c in file.get("contracts", ())
        ),
        industry_factor=Decimal(file.get("industry_factor", "1")),
        vat_exempt=file.get("vat_exempt") == "true",
        connection=file.get("connection"),
        told_days=frozenset(date.fromisoformat(on) for on in file.get("told_days", ())),
        items=_decimals(file.get("items", {})),
    )


def _with_next(shipped: Tariff, following: Mapping[str, Any] | None) -> Tariff:
    """The tariff with an edition that the bill's file invents: the last one with other non-summer prices."""
    if following is None:
        return shipped
    last = shipped.editions[-1]
    prices = {("non_summer", band): price for band, price in _decimals(following["energy"]).items()}
    capacity = last.charges.capacity
    assert capacity is not None
    basic = {**capacity.prices["non_summer"], **_decimals(following["basic"])}
    new = replace(
        last,
        edition=following["edition"],
        valid_from=date.fromisoformat(following["valid_from"]),
        energy_prices={**last.energy_prices, **prices},
        charges=replace(
            last.charges,
            capacity=capacity.model_copy(update={"prices": {**capacity.prices, "non_summer": basic}}),
        ),
    )
    return join_editions([*shipped.editions, new])
