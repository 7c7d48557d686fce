"""Average power factor of a month, and what it takes from or adds to the charge."""

from decimal import ROUND_HALF_UP, Decimal

from energy_center.tariffs.charges import PowerFactor


def average_power_factor(active_kwh: Decimal, reactive_kvarh: Decimal) -> Decimal | None:
    """Percent, from the energies of a month: kWh / sqrt(kWh^2 + kvarh^2). None without active energy."""
    if active_kwh <= 0:
        return None
    return 100 * active_kwh / (active_kwh**2 + reactive_kvarh**2).sqrt()


def adjustment(rule: PowerFactor, power_factor_pct: Decimal) -> tuple[Decimal, Decimal]:
    """The power factor as it counts (percent) and the share of the charge to add, negative for a rebate."""
    counted = to_step(power_factor_pct, rule.rounded_to)
    return counted, (rule.neutral - min(counted, rule.best)) * rule.per_point


def to_step(amount: Decimal, step: Decimal) -> Decimal:
    """Rounded half up to a multiple of `step`, such as 1, 0.1 or 5."""
    return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step
