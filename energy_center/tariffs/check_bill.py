"""The utility's bill beside ours: differences by figure, each with its likely cause.

Figures are named `energy.<band>` (kWh), `demand.<band>` (kW), `power_factor` (percent) and, in money,
`amount.<kind of line>` and `total`. A figure that the utility's bill does not show is not compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from energy_center.tariffs.bill_model import Bill
from energy_center.tariffs.charges import LineKind
from energy_center.tariffs.tariff_model import Edition

SAME = Decimal("0.0005")  # relative: registers and their multipliers agree no better
LEVEL = Decimal("0.002")  # relative: bands that differ by one factor, differ alike
MOST_DAYS_APART = Decimal("0.2")  # of the energy: a reading some days early or late
MONEY = Decimal(1)  # a bill's own rounding
WHOLE_PERCENT = Decimal(1)  # to which bills print the power factor


class Cause(StrEnum):
    """Why two bills differ, as far as the figures tell."""

    SAME = "same"
    COVERAGE = "coverage"  # we have not measured all of it
    READING_DATE = "reading_date"  # read on other days
    MULTIPLIER = "multiplier"  # every band differs by the same factor: the meter's multiplier
    BANDS = "bands"  # the sum agrees, the bands do not: another clock or list of off-peak days
    DEMAND = "demand"  # another maximum: another block or clock
    CONTRACT = "contract"  # quantities agree, the charge does not: another contract or price
    PRICE = "price"
    EDITION = "edition"  # quantities at the prices of another edition
    ROUNDING = "rounding"  # each line rounded, where the other rounds their sum
    POWER_FACTOR = "power_factor"
    FACTOR = "factor"  # the whole differs by the industry factor
    TAX = "tax"  # the whole differs by the value-added tax
    FOLLOWS = "follows"  # made of figures that differ themselves
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure: `ours` None where we have none. `facts` say what the cause was read from."""

    figure: str
    ours: Decimal | None
    theirs: Decimal
    cause: Cause
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def amount(self) -> Decimal | None:
        """Theirs less ours."""
        return None if self.ours is None else self.theirs - self.ours


def figures_of(bill: Bill) -> dict[str, Decimal]:
    """Our bill's figures by the names above."""
    found: dict[str, Decimal] = {}
    for line in bill.lines:
        if line.kind is LineKind.ENERGY:
            name = f"energy.{line.key}"
            found[name] = found.get(name, Decimal(0)) + line.quantity
    found["energy"] = bill.energy
    for use in bill.uses:
        for band, kw in use.demand_kw.items():
            found[f"demand.{band}"] = max(found.get(f"demand.{band}", Decimal(0)), kw)
    if demands := [kw for name, kw in found.items() if name.startswith("demand.")]:
        found["demand"] = max(demands)
    if bill.power_factor_pct is not None:
        found["power_factor"] = bill.power_factor_pct
    for kind in LineKind:
        found[f"amount.{kind.value}"] = bill.sum_of(kind)
    return found | {"total": bill.total}


def check_bill(
    bill: Bill, theirs: Mapping[str, Decimal], industry_factor: Decimal, editions: Sequence[Edition] = ()
) -> list[Difference]:
    """Differences in the order of the utility's figures; `editions` are those it may have priced by."""
    ours = figures_of(bill)
    compared = _Compared(bill, ours, theirs, industry_factor, editions)
    return [
        Difference(name, ours.get(name), amount, *compared.cause(name)) for name, amount in theirs.items()
    ]


@dataclass(frozen=True, slots=True)
class _Compared:
    bill: Bill
    ours: Mapping[str, Decimal]
    theirs: Mapping[str, Decimal]
    factor: Decimal
    editions: Sequence[Edition]

    def cause(self, name: str) -> tuple[Cause, Mapping[str, str]]:
        """The likely cause of one figure's difference."""
        if name not in self.ours:
            return Cause.UNKNOWN, {}
        if self._agrees(name):
            return Cause.SAME, {}
        if name.startswith("energy"):
            return self._energy(name)
        if name.startswith("demand"):
            return (Cause.COVERAGE if self.bill.is_provisional else Cause.DEMAND), {}
        if name == "power_factor":
            return Cause.POWER_FACTOR, {}
        return self._total() if name == "total" else self._amount(name)

    def _agrees(self, name: str) -> bool:
        ours, theirs = self.ours[name], self.theirs[name]
        if name == "total" or name.startswith("amount."):
            return abs(theirs - ours) <= MONEY
        if name == "power_factor":
            return abs(theirs - ours) < WHOLE_PERCENT / 2
        return abs(theirs - ours) <= max(Decimal(2), SAME * abs(theirs))

    def _differing(self, prefix: str) -> bool:
        return any(n.startswith(prefix) and n in self.ours and not self._agrees(n) for n in self.theirs)

    def _energy(self, name: str) -> tuple[Cause, Mapping[str, str]]:
        if self.bill.is_provisional and self.theirs[name] > self.ours[name]:
            return Cause.COVERAGE, {"coverage": f"{self.bill.coverage:.1%}"}
        pairs = [
            (self.theirs[n], self.ours[n])
            for n in self.theirs
            if n.startswith("energy.") and self.ours.get(n, Decimal(0)) > 0
        ] or [(self.theirs[name], self.ours[name])]
        theirs, ours = (sum(column, Decimal(0)) for column in zip(*pairs, strict=True))
        if not ours:
            return Cause.UNKNOWN, {}
        ratio = theirs / ours
        if abs(ratio - 1) <= SAME:
            return Cause.BANDS, {}
        if len(pairs) > 1 and all(abs(t / o / ratio - 1) <= LEVEL for t, o in pairs):
            return Cause.MULTIPLIER, {"ratio": f"{ratio:.4f}"}
        if abs(ratio - 1) <= MOST_DAYS_APART:
            days = (ratio - 1) * self.bill.period.days
            return Cause.READING_DATE, {"days": f"{days:+.1f}"}
        return Cause.UNKNOWN, {"ratio": f"{ratio:.4f}"}

    def _amount(self, name: str) -> tuple[Cause, Mapping[str, str]]:
        kind = LineKind(name.removeprefix("amount."))
        if kind is LineKind.ENERGY:
            return (Cause.FOLLOWS, {}) if self._differing("energy") else self._price(name)
        if kind is LineKind.BASIC:
            return Cause.CONTRACT, self._implied_contract(name)
        if kind is LineKind.OVER_CONTRACT:
            return (Cause.FOLLOWS, {}) if self._differing("demand") else (Cause.CONTRACT, {})
        if kind is LineKind.POWER_FACTOR:
            return self._power_factor(name)
        if kind is LineKind.FACTOR:
            return Cause.FACTOR, {}
        return Cause.UNKNOWN, {}

    def _price(self, name: str) -> tuple[Cause, Mapping[str, str]]:
        """Another edition, where its prices make of our energy what the utility asks."""
        lines = [line for line in self.bill.lines if line.kind is LineKind.ENERGY]
        held = {segment.edition.edition for segment in self.bill.segments}
        for edition in self.editions:
            prices = [edition.energy_prices.get((line.season or "", line.key)) for line in lines]
            if edition.edition in held or None in prices:
                continue
            amount = sum((x.quantity * (p or 0) for x, p in zip(lines, prices, strict=True)), Decimal(0))
            if abs(amount - self.theirs[name]) <= MONEY:
                return Cause.EDITION, {"edition": edition.edition}
        return Cause.PRICE, {}

    def _implied_contract(self, name: str) -> Mapping[str, str]:
        """The contract that the utility's charge would stand for at our price."""
        lines = [line for line in self.bill.lines if line.kind is LineKind.BASIC]
        held = {line.key for line in lines}
        if len(held) != 1 or not self.ours[name]:
            return {}
        kw = lines[0].quantity * self.theirs[name] / self.ours[name]
        return {"kind": lines[0].key, "kw": f"{kw:.0f}", "ours_kw": f"{lines[0].quantity.normalize():f}"}

    def _power_factor(self, name: str) -> tuple[Cause, Mapping[str, str]]:
        if self._differing("energy") or self._differing("amount.basic"):
            return Cause.FOLLOWS, {}
        rule = self.bill.segments[-1].edition.charges.power_factor
        base = self.bill.sum_of(LineKind.BASIC, LineKind.ENERGY, LineKind.ENERGY_ABOVE)
        if rule is None or not base or not rule.per_point:
            return Cause.POWER_FACTOR, {}
        implied = rule.neutral - self.theirs[name] / base / rule.per_point
        return Cause.POWER_FACTOR, {"percent": f"{implied:.0f}"}

    def _total(self) -> tuple[Cause, Mapping[str, str]]:
        if any(n != "total" and n in self.ours and not self._agrees(n) for n in self.theirs):
            return Cause.FOLLOWS, {}
        ours, theirs = self.ours["total"], self.theirs["total"]
        tax = 1 + self.bill.segments[-1].edition.vat.rate
        for cause, ratio in (
            (Cause.FACTOR, self.factor),
            (Cause.FACTOR, 1 / self.factor),
            (Cause.TAX, tax),
            (Cause.TAX, 1 / tax),
        ):
            if ratio != 1 and abs(ours * ratio - theirs) <= 2 * MONEY:
                return cause, {"ratio": f"{ratio:.4f}"}
        if abs(ours - theirs) <= Decimal(len(self.bill.lines) + 1) / 2:
            return Cause.ROUNDING, {"lines": f"{len(self.bill.lines)}"}
        return Cause.UNKNOWN, {"ratio": f"{theirs / ours:.4f}"} if ours else {}
