"""What a tariff charges beside plain energy, as data: capacity, over-contract, power factor, tiers, demand.

Each class is one section of a catalogue file and is used as parsed. Money is per the unit named; a number is
a Decimal as written. Nothing here computes: `bill` and `over_contract` do.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from energy_center.domain.site import Text

Amount = Annotated[Decimal, Field(ge=0)]
Key = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


class Strict(BaseModel):
    """A section of a tariff file: unknown keys are mistakes, nothing changes after parsing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Strict):
    """A name in both languages."""

    zh_tw: str = Field(alias="zh-TW")
    en: str

    def text(self) -> Text:
        """The same as the domain's type."""
        return Text(self.zh_tw, self.en)


class LineKind(StrEnum):
    """What a line of a bill is for, in the order of a bill."""

    BASIC = "basic"  # contract capacity
    CUSTOMER = "customer"  # per account
    DEMAND = "demand"  # measured maximum demand
    ENERGY = "energy"
    ENERGY_ABOVE = "energy_above"  # addition on a month's energy above a limit
    RIDER = "rider"  # addition on every unit of energy
    ITEM = "item"  # lamps and appliances without a meter
    POWER_FACTOR = "power_factor"
    OVER_CONTRACT = "over_contract"
    LEVY = "levy"  # a share of the energy charge
    MINIMUM = "minimum"
    FACTOR = "factor"  # industry factor
    VAT = "vat"


class Source(Strict):
    """Where the numbers are from, so that a person can check them.

    `confirmed` is false where nobody has seen the utility's own table: bills say so.
    """

    title: str
    clause: str
    published: str
    checked_on: date
    confirmed: bool = True


class Vat(Strict):
    """Whether prices hold value-added tax, and its rate (0.05 is 5 %)."""

    included: bool
    rate: Amount


class Reduction(Strict):
    """Contract kinds of which only what exceeds a share of others is paid.

    Paid kW = max(0, sum of `kinds` - `share` x sum of `of`), at the common price of `kinds`.
    """

    kinds: tuple[Key, ...] = Field(min_length=1)
    share: Amount
    of: tuple[Key, ...]


class Round(Strict):
    """One step of the reckoning of over-contract: demand of `band` against the sum of `contracts`.

    What an earlier step has found is not counted again. `price` names the contract kind whose price holds.
    """

    band: Key
    contracts: tuple[Key, ...] = Field(min_length=1)
    price: Key


class OverContract(Strict):
    """Demand above the contract: the first share of the contract at some times the price, the rest at more.

    `outside_times` and `outside_energy_times` hold where no contract at all covers a band.
    """

    first_share: Amount
    first_times: Amount
    further_times: Amount
    rounds: Mapping[str, tuple[Round, ...]]
    outside_times: Amount | None = None
    outside_energy_times: Amount | None = None


class Capacity(Strict):
    """Charge per kW of agreed capacity and month.

    `prices[season][kind]`: a kind without a price in a season is not charged in it. `zero_use_share` of the
    basic charge is due in a month without energy and demand. `least_kw`: sum of contracts not to go below.
    """

    contracts: Mapping[Key, Words]
    prices: Mapping[str, Mapping[Key, Amount]]
    reduced: Reduction | None = None
    over: OverContract | None = None
    zero_use_share: Amount | None = None
    least_kw: Amount = Decimal(0)


class Customer(Strict):
    """Charge per account; `prices` by kind of connection, the first holds where the account names none."""

    per: Literal["month", "day"] = "month"
    prices: Mapping[Key, Amount] = Field(min_length=1)


class DemandCharge(Strict):
    """Charge per kW of measured maximum demand in any of `bands`; a season without a price has no charge."""

    name: Words
    bands: tuple[Key, ...] = Field(min_length=1)
    prices: Mapping[str, Amount]


class Tier(Strict):
    """Price of a month's energy up to `to` (None: without end), counted from the end of the tier before."""

    to: Amount | None = None
    price: Amount


class EnergyAbove(Strict):
    """Addition per unit on a month's energy above `above`."""

    above: Amount
    price: Amount


class NamedPrice(Strict):
    """A price with a name: a rider per unit of energy, or an item without a meter per month."""

    name: Words
    price: Amount


class Levy(Strict):
    """A share of the energy charge, rounded on its own."""

    name: Words
    share: Amount


class PowerFactor(Strict):
    """Adjustment of the month's basic and energy charge by the average power factor in percent.

    Each point below `neutral` adds `per_point` of it, each above takes as much away, up to `best`.
    """

    neutral: Amount
    best: Amount
    per_point: Amount
    least_contract_kw: Amount = Decimal(0)
    rounded_to: Amount = Decimal(1)


class Rounding(Strict):
    """Steps to which a bill rounds, half up: quantities, lines (None: not at all) and the total."""

    energy: Amount = Decimal(1)
    demand: Amount = Decimal(1)
    line: Amount | None = None
    total: Amount = Decimal(1)
