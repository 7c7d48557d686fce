"""Lines of one segment, one function a kind. `bill` puts them together and adds what works on their sum."""

from decimal import Decimal

from energy_center.errors import Invalid
from energy_center.tariffs.bill_model import Line
from energy_center.tariffs.charges import LineKind, OverContract
from energy_center.tariffs.over_contract import Excess, excesses, paid_kw
from energy_center.tariffs.part import ONE, Part
from energy_center.tariffs.power_factor import to_step


def basic_lines(part: Part) -> list[Line]:
    """Contract capacity by kind."""
    capacity, contract = part.edition.charges.capacity, part.segment.contract
    if capacity is None or contract is None:
        return []
    return [
        part.monthly(LineKind.BASIC, kind, capacity.contracts[kind].text(), kw, price, times=part.basic_times)
        for kind, kw, price in paid_kw(capacity, part.segment.season, contract)
    ]


def customer_lines(part: Part) -> list[Line]:
    """The charge per account. Raises Invalid for a connection that the tariff does not have."""
    customer = part.edition.charges.customer
    if customer is None:
        return []
    connection = part.account.connection or next(iter(customer.prices))
    if connection not in customer.prices:
        raise Invalid(
            f"The tariff {part.edition.tariff_id} has no connection '{connection}'; "
            f"it has: {', '.join(customer.prices)}"
        )
    price = customer.prices[connection]
    if customer.per == "day":
        days = Decimal(part.segment.days)
        line = part.metered(LineKind.CUSTOMER, connection, None, days, price)
        return [line]
    return [part.monthly(LineKind.CUSTOMER, connection, None, ONE, price, unit="1", times=part.basic_times)]


def demand_lines(part: Part) -> list[Line]:
    """Charges on measured maximum demand."""
    lines: list[Line] = []
    for charge in part.edition.charges.demand:
        price = charge.prices.get(part.segment.season)
        known = [part.demand_kw[band] for band in charge.bands if band in part.demand_kw]
        if price is None or not known:
            continue
        lines.append(
            part.monthly(
                LineKind.DEMAND,
                "+".join(charge.bands),
                charge.name.text(),
                max(known),
                price,
                times=part.months,
                coverage=part.use.coverage,
            )
        )
    return lines


def energy_lines(part: Part) -> list[Line]:
    """Energy by band or by tier, and the addition above a month's limit."""
    edition, season = part.edition, part.segment.season
    lines = _tier_lines(part) if edition.charges.tiers else _band_lines(part)
    above = edition.charges.energy_above
    if above is not None:
        rest = _sum_energy(part) - to_step(part.of_month(above.above), edition.charges.rounding.energy)
        if rest > 0:
            lines.append(part.metered(LineKind.ENERGY_ABOVE, season, None, rest, above.price))
    return lines


def _sum_energy(part: Part) -> Decimal:
    return sum(part.energy.values(), Decimal(0))


def _band_lines(part: Part) -> list[Line]:
    edition, season = part.edition, part.segment.season
    return [
        part.metered(
            LineKind.ENERGY,
            band,
            label,
            part.energy[band],
            edition.energy_prices[season, band],
            times=_outside_times(part, band),
        )
        for band, label in edition.bands.items()
        if band in part.energy and (season, band) in edition.energy_prices
    ]


def _outside_times(part: Part, band: str) -> Decimal:
    """More than 1 for energy in hours that none of the account's contracts covers."""
    capacity, contract = part.edition.charges.capacity, part.segment.contract
    over = capacity.over if capacity else None
    if over is None or contract is None or over.outside_energy_times is None:
        return ONE
    steps = over.rounds.get(part.segment.season, ())
    if not any(contract.sum_kw(step.contracts) for step in steps):
        return ONE
    bare = {step.band for step in steps if not contract.sum_kw(step.contracts)}
    return over.outside_energy_times if band in bare else ONE


def _tier_lines(part: Part) -> list[Line]:
    lines: list[Line] = []
    energy, done = _sum_energy(part), Decimal(0)
    step = part.edition.charges.rounding.energy
    for number, tier in enumerate(part.edition.charges.tiers[part.segment.season], start=1):
        end = energy if tier.to is None else min(energy, to_step(part.of_month(tier.to), step))
        if end > done or (number == 1 and not energy):
            lines.append(
                part.metered(LineKind.ENERGY, f"tier_{number}", None, max(end - done, Decimal(0)), tier.price)
            )
        done = max(done, end)
    return lines


def rider_lines(part: Part) -> list[Line]:
    """Additions on every unit of energy."""
    energy = _sum_energy(part)
    return [
        part.metered(LineKind.RIDER, key, rider.name.text(), energy, rider.price)
        for key, rider in part.edition.charges.riders.items()
    ]


def item_lines(part: Part) -> list[Line]:
    """Lamps and appliances without a meter. Raises Invalid for one that the tariff does not know."""
    items = part.edition.charges.items
    unknown = sorted(part.account.items.keys() - items.keys())
    if unknown:
        raise Invalid(
            f"The tariff {part.edition.tariff_id} has no item {', '.join(unknown)}; "
            f"it has: {', '.join(items) or 'none'}"
        )
    return [
        part.monthly(
            LineKind.ITEM, key, items[key].name.text(), count, items[key].price, unit="1", times=part.months
        )
        for key, count in part.account.items.items()
    ]


def levy_lines(part: Part) -> list[Line]:
    """Shares of the energy charge."""
    levies = part.edition.charges.levies
    if not levies:
        return []
    base = sum((line.amount for line in energy_lines(part)), Decimal(0))
    return [
        Line(
            kind=LineKind.LEVY,
            key=key,
            label=levy.name.text(),
            quantity=base,
            unit=part.edition.currency,
            price=levy.share,
            amount=base * levy.share,
            clause=part.edition.clause(LineKind.LEVY),
            edition=part.edition.edition,
            season=part.segment.season,
            coverage=part.use.coverage,
        )
        for key, levy in levies.items()
    ]


def over_contract_lines(part: Part) -> list[Line]:
    """Demand above the contract, up to two lines a band."""
    capacity, contract = part.edition.charges.capacity, part.segment.contract
    if capacity is None or capacity.over is None or contract is None:
        return []
    return [
        line
        for excess in excesses(capacity.over, part.segment.season, contract, part.demand_kw)
        for line in _excess_lines(part, capacity.over, excess)
    ]


def _excess_lines(part: Part, over: OverContract, excess: Excess) -> list[Line]:
    capacity = part.edition.charges.capacity
    if capacity is None:
        return []
    price = capacity.prices[part.segment.season][excess.step.price]
    by_times = (
        (excess.first_kw, over.first_times),
        (excess.further_kw, over.further_times),
        (excess.outside_kw, over.outside_times or ONE),
    )
    band = excess.step.band
    return [
        part.monthly(
            LineKind.OVER_CONTRACT,
            band,
            part.edition.bands[band],
            kw,
            price,
            times=times * part.months,
            coverage=part.use.coverage,
        )
        for kw, times in by_times
        if kw
    ]
