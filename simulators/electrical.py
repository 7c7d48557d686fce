"""Electricity: what each submeter sees, transformers with losses, PV, UPS, lifts, chargers, and the mains.

Main meter = submeters + transformer losses - PV, exactly and at every instant, since sums are sums of the
same lines and curves. Signs: into the load positive, so PV is negative.
"""

import numpy as np

from simulators import occupancy
from simulators.building import House
from simulators.calendars import is_working_day, midnight
from simulators.chunk import Chunk
from simulators.model import Equipment
from simulators.noise import uniform
from simulators.signals import AnyRow, Curve, Floats, Line, Metered, Source, Sum, add

LOW_V, HIGH_V = 220.0, 6582.0  # phase to neutral of 380 V and of 11.4 kV
CAPACITOR_TANGENT = 0.24  # kvar per kW that the banks take away
BANK_OFF_TANGENT = 0.65
SURGE_SHARE = 1.15
SOILED, HOT_WINDING_K, OPEN_CT, AGED_BATTERY = 0.6, 80.0, -1 / 3, 0.3


def _short(meter: Equipment) -> str:
    return meter.id.removeprefix(f"{meter.building}-").removesuffix("-meter")


def simulate_other_loads(chunk: Chunk, house: House) -> None:
    """Hang tenants, lifts, car park, outdoor lights and data centre on their meters."""
    model = chunk.model
    kitchen = occupancy.meals_share(chunk)
    lights = occupancy.lights_share(chunk, f"{house.id}-tenants")
    people = house.people
    middle = chunk.hours
    dark = np.clip(1.0 - chunk.outdoor("irradiance_w_m2") / 60.0, 0.0, 1.0)
    profiles: dict[str, Floats] = {
        "tenant-canteen": 0.11 + 0.85 * kitchen,
        "canteen": 0.11 + 0.85 * kitchen,
        "tenant-bank": 0.15 + 0.55 * lights + 0.25 * people,
        "tenant-post": 0.13 + 0.60 * lights + 0.25 * people,
        "lifts": 0.14 + 0.75 * people,
        "carpark": 0.42 + 0.35 * lights,
        "outdoor": 0.12 + 0.75 * dark * ((middle > 17.0) & (middle < 23.0)) + 0.2 * dark,
        "datacentre": 0.50 + 0.06 * people + 0.005 * (chunk.outdoor("temperature_c") - 20.0),
    }
    for meter in model.of(house.id, "meter"):
        name = _short(meter)
        if name not in profiles:
            continue
        load = model.rated(meter, "load_kw") * profiles[name]
        load = load * (1.0 + 0.03 * chunk.noise(f"{meter.id}-load", 3600.0))
        swing = (0.16 if name == "lifts" else 0.025) * load.mean(axis=0)
        house.draw(name, chunk.line(f"{meter.id}-own", load, swing))


def simulate_ups(chunk: Chunk, house: House) -> None:
    """Publish the UPS, whose load the data centre's (or first floor's) meter sees with 6 % loss."""
    for unit in chunk.model.of(house.id, "ups"):
        rated = chunk.model.rated(unit, "power_kw")
        share = 0.46 + 0.05 * house.people + 0.012 * chunk.noise(f"{unit.id}-load", 5400.0)
        power = chunk.put(unit, "active_power", rated * share, 0.006 * rated)
        own = Sum([(1.06, power)])
        house.draw("datacentre" if house.id == "ltb" else "fl01", own, 0.10)
        chunk.put(unit, "load_ratio", 100.0 * share, 0.4)
        chunk.put(
            unit, "battery_charge", 99.6 + 0.15 * chunk.noise(f"{unit.id}-charge", 40_000.0).clip(-2, 2)
        )
        chunk.put_states(unit, "on_battery", chunk.share_active("ups_on_battery", unit.id))
        aged = 1.0 - (1.0 - AGED_BATTERY) * chunk.share_active("ups_battery_aged", unit.id)
        chunk.put(unit, "runtime_remaining", 19.0 / share * aged, 0.15)
        chunk.put(unit, "battery_voltage", 54.5 + 0.08 * chunk.noise(f"{unit.id}-v", 9000.0), 0.03)


def simulate_pv(chunk: Chunk, house: House) -> list[Source]:
    """Publish the inverters and return their (negative) powers."""
    powers: list[Source] = []
    for unit in chunk.model.of(house.id, "pv"):
        rated = chunk.model.rated(unit, "power_kw")
        sun = chunk.outdoor("irradiance_w_m2")
        module_c = chunk.outdoor("temperature_c") + 0.028 * sun
        dc = rated * 1.06 * sun / 1000.0 * (1.0 - 0.0037 * (module_c - 25.0)) * 0.93
        dc = dc * (1.0 + 0.02 * chunk.noise(f"{unit.id}-sky", 1800.0))
        dc = dc * (1.0 - (1.0 - SOILED) * chunk.share_active("soiling", unit.id))
        tripped = chunk.share_active("inverter_tripped", unit.id)
        makes = (sun.min(axis=0) > 12.0) * (1.0 - tripped)
        power = np.minimum(0.97 * dc, rated) * makes
        row = chunk.put(unit, "active_power", -power, 0.025 * power.mean(axis=0))
        powers.append(row)
        chunk.put_register(
            unit, "energy_export", Sum([(-1.0, row)]), chunk.constant(f"{unit.id}-e", 9e4, 2e5)
        )
        chunk.put(unit, "dc_power", dc * makes, 0.02 * power.mean(axis=0))
        chunk.put(unit, "dc_voltage", (640.0 - 1.1 * (module_c - 25.0)) * (sun > 2.0), 1.5 * makes)
        warm = chunk.outdoor("temperature_c") + 4.0 + 16.0 * power / rated
        chunk.put(unit, "cabinet_temperature", warm, 0.08)
        state = np.where(tripped > 0, 7.0, np.where(makes > 0, 4.0, 2.0))
        chunk.put_states(unit, "inverter_state", state)
        phases = chunk.shared[f"{house.id}-volts"][0]
        third = chunk.line(f"{unit.id}-third", np.full_like(sun, 1 / 3))
        for number, volt in enumerate(phases, start=1):
            chunk.rows[(unit.id, f"voltage_l{number}n")] = volt
            nothing = Sum([])
            chunk.rows[(unit.id, f"current_l{number}")] = Metered(
                "current", Sum([(1.0, row)]), nothing, volt, third
            )
        chunk.rows[(unit.id, "frequency")] = chunk.shared["frequency"]
    return powers


def simulate_chargers(chunk: Chunk, house: House) -> None:
    """Publish the EV chargers; states 0 free, 1 connected, 2 charging."""
    first, last = int(chunk.day[0]) - 1, int(chunk.day[-1]) + 1
    for unit in chunk.model.of(house.id, "ev"):
        time, level, state_time, state = [chunk.grid.start], [0.0], [chunk.grid.start - 1.0], [0.0]
        rated = chunk.model.rated(unit, "power_kw")
        for begin, charged, leaves in charging_sessions(chunk, unit, first, last):
            if charged <= chunk.grid.start or begin >= chunk.grid.end:
                if leaves > chunk.grid.start > charged:
                    state_time += [chunk.grid.start, leaves]
                    state += [1.0, 0.0]
                continue
            time += [max(begin, chunk.grid.start), charged]
            level += [rated, 0.15]
            state_time += [max(begin, chunk.grid.start), charged, leaves]
            state += [2.0, 1.0, 0.0]
            time.append(max(leaves, charged))
            level.append(0.0)
        power = Curve(np.array(time), np.array(level), held=True)
        chunk.rows[(unit.id, "active_power")] = power
        chunk.rows[(unit.id, "charger_state")] = Curve(np.array(state_time), np.array(state), held=True)
        chunk.put_register(unit, "energy_import", power, chunk.constant(f"{unit.id}-e", 5000.0, 20_000.0))
        house.draw("ev" if house.id == "ltb" else "outdoor", power, 0.05)
    if house.id == "ltb":
        house.draw("ev", chunk.line("ev-standby", np.full_like(house.people, 0.35), 0.02), 0.3)


def charging_sessions(
    chunk: Chunk, unit: Equipment, first: int, last: int
) -> list[tuple[float, float, float]]:
    """Return (plugged in, charged, leaves) of the days, three tries a day, in order and without overlap."""
    days = np.arange(first, last + 1, dtype=np.int64)
    sessions = []
    for slot, (hour, chance_open, chance_off) in enumerate(
        ((8.2, 0.85, 0.1), (13.4, 0.6, 0.15), (18.3, 0.35, 0.1))
    ):
        stream = f"{unit.id}-ev-{slot}"
        luck, late, need, stay = (uniform(chunk.seed, f"{stream}-{x}", days) for x in ("p", "t", "n", "s"))
        for k, day in enumerate(days):
            if luck[k] > (chance_open if is_working_day(int(day)) else chance_off):
                continue
            begin = midnight(int(day)) + 3600.0 * (hour + 1.3 * late[k])
            charged = begin + 3600.0 * (0.7 + 2.0 * need[k])
            sessions.append((begin, charged, charged + 3600.0 * (0.1 + 0.5 * stay[k])))
    return sorted(sessions)


def simulate_supply(chunk: Chunk, houses: list[House]) -> None:
    """Compute frequency and the phase voltages of the high-voltage and the transformers' buses."""
    noise = chunk.noise("frequency", 600.0)
    chunk.shared["frequency"] = chunk.line("frequency", 60.0 + 0.018 * noise, 0.012)
    for house in houses:
        transformers = chunk.model.of(house.id, "transformer")
        evening = 0.004 * (1.0 - house.people) + 0.005 * chunk.noise(f"{house.id}-grid", 7200.0)
        volts = {}
        for index, name in enumerate(["main", *[t.id for t in transformers]]):
            nominal = HIGH_V if name == "main" else LOW_V
            level = nominal * (1.006 + evening - (0.0 if name == "main" else 0.012) * house.load_share)
            volts[name] = [
                chunk.line(
                    f"{house.id}-{name}-u{p}",
                    level * (1.0 + 0.002 * (p - 1) + 0.0008 * chunk.noise(f"{house.id}-{index}-u{p}", 900.0)),
                    0.0016 * nominal,
                )
                for p in range(3)
            ]
        chunk.shared[f"{house.id}-bus"] = volts
        chunk.shared[f"{house.id}-volts"] = [volts[t.id] for t in transformers]


def _shares(chunk: Chunk, meter: Equipment) -> list[Line]:
    skew = np.array([chunk.constant(f"{meter.id}-l{p}", -0.04, 0.04) for p in range(3)])
    skew -= skew.mean()
    uneven = chunk.share_active("phase_imbalance", meter.id)
    lines = []
    for p, wrong in enumerate((0.45, 0.30, 0.25)):
        even = (1.0 + skew[p]) / 3.0
        share = even + uneven * (wrong - even)
        lines.append(chunk.line(f"{meter.id}-share-{p}", np.stack([share, share])))
    return lines


def _as_metered(chunk: Chunk, meter: Equipment, power: Sum) -> Sum:
    """What the meter sees of the power: a third less with one current transformer open."""
    is_open = chunk.active("ct_ratio_wrong", meter.id)
    if is_open is None:
        return power
    like = np.zeros((2, chunk.grid.count))
    unseen = chunk.line(f"{meter.id}-unseen", OPEN_CT * _ends_of(power, like) * is_open)
    return Sum([*power.parts, (1.0, unseen)])


def _publish_meter(chunk: Chunk, meter: Equipment, power: Sum, reactive: Sum, volts: list[Line]) -> None:
    power = _as_metered(chunk, meter, power)
    rows: dict[str, AnyRow] = {
        "active_power": power,
        "reactive_power": reactive,
        "apparent_power": Metered("apparent", power, reactive),
        "power_factor": Metered("factor", power, reactive),
        "frequency": chunk.shared["frequency"],
    }
    for number, (volt, share) in enumerate(zip(volts, _shares(chunk, meter), strict=True), start=1):
        rows[f"voltage_l{number}n"] = volt
        rows[f"current_l{number}"] = Metered("current", power, reactive, volt, share)
    for signal, row in rows.items():
        chunk.rows[(meter.id, signal)] = row
    size = chunk.model.rated(meter, "register_kwh", 250_000.0)
    first = size * chunk.constant(f"{meter.id}-e", 0.6, 1.4)
    chunk.put_register(meter, "energy_import", power, round(first, 1))
    chunk.put_register(meter, "reactive_energy_import", reactive, round(first * 0.35, 1))


def _ends_of(source: Source, like: Floats) -> Floats:
    """Return the straight part of a source at interval ends, curves left out."""
    if isinstance(source, Line):
        return source.ends
    if isinstance(source, Curve):
        return np.zeros_like(like)
    return sum((w * _ends_of(row, like) for w, row in source.parts), np.zeros_like(like))


def _surge(chunk: Chunk, house: House, pv: list[Source]) -> None:
    active = chunk.active("demand_surge", f"{house.id}-main")
    if active is None:
        return
    like = house.people
    load = sum(
        (_ends_of(source, like) for group in house.loads.values() for _, source in group), np.zeros_like(like)
    )
    load = load + sum((_ends_of(source, like) for source in pv), np.zeros_like(like))
    surge = 1.0 + (SURGE_SHARE - 1.0) * active
    wanted = surge * chunk.model.building(house.id, "contract_kw")
    extra = np.maximum(wanted - load, 0.0) * (active > 0)
    floors = [name for name in house.loads if name.startswith("fl")]
    for name in floors:
        house.draw(
            name, chunk.line(f"{house.id}-{name}-surge", extra / len(floors), 0.01 * extra.mean(axis=0)), 0.3
        )


def simulate_meters(chunk: Chunk, house: House, pv: list[Source]) -> None:
    """Publish the submeters, the transformers with their meters, and the main meter."""
    _surge(chunk, house, pv)
    model = chunk.model
    bus = chunk.shared[f"{house.id}-bus"]
    meters = model.of(house.id, "meter")
    transformers = model.of(house.id, "transformer")
    main = next(m for m in meters if m.id.endswith("-main"))
    below: dict[str, list[tuple[Sum, Sum]]] = {f"{t.id}-meter": [] for t in transformers}
    for meter in meters:
        if meter.id == main.id or meter.id in below:
            continue
        loads = house.loads.get(_short(meter), [])
        power = add(*[(1.0, source) for _, source in loads])
        reactive = add(*[(tangent, source) for tangent, source in loads])
        _lag(chunk, meter, power, reactive, house.people)
        feeder = str(meter.params.get("fed_by", next(iter(below))))
        _publish_meter(chunk, meter, power, reactive, bus[feeder.removesuffix("-meter")])
        below[feeder].append((power, reactive))
    totals: list[tuple[float, Source]] = []
    reactives: list[tuple[float, Source]] = []
    for place, transformer in enumerate(transformers):
        meter = model.equipment[f"{transformer.id}-meter"]
        power = add(*[(1.0, p) for p, _ in below[meter.id]])
        bank = [(-CAPACITOR_TANGENT, p) for p, _ in below[meter.id]]
        reactive = add(*[(1.0, q) for _, q in below[meter.id]], *bank)
        if place == 0:
            power = add((1.0, power), *[(1.0, source) for source in pv])
        _lag(chunk, meter, power, reactive, house.people)
        _publish_meter(chunk, meter, power, reactive, bus[transformer.id])
        loss, magnetising = _transformer(chunk, house, transformer, power, reactive)
        totals += [(1.0, power), (1.0, loss)]
        reactives += [(1.0, reactive), (1.0, magnetising)]
    total, lagging = add(*totals), add(*reactives)
    _lag(chunk, main, total, lagging, house.people)
    _publish_meter(chunk, main, total, lagging, bus["main"])
    chunk.put_constant(main, "energy_export", 0.0)


def _lag(chunk: Chunk, meter: Equipment, power: Sum, reactive: Sum, like: Floats) -> None:
    """Add the reactive power of a failed capacitor bank at this meter."""
    active = chunk.active("low_power_factor", meter.id)
    if active is not None:
        extra = BANK_OFF_TANGENT * np.maximum(_ends_of(power, like), 0.0) * active
        reactive.parts.append((1.0, chunk.line(f"{meter.id}-lag", extra)))


def _transformer(
    chunk: Chunk, house: House, transformer: Equipment, power: Sum, reactive: Sum
) -> tuple[Line, Line]:
    """Publish a transformer and return its loss (kW) and its own reactive power (kvar)."""
    model = chunk.model
    rated = model.rated(transformer, "rated_kva")
    like = house.people
    ratio = np.hypot(_ends_of(power, like), _ends_of(reactive, like)) / rated
    loss = model.rated(transformer, "no_load_kw") + model.rated(transformer, "load_loss_kw") * ratio**2
    chunk.put(transformer, "load_ratio", np.minimum(100.0 * ratio, 100.0), 0.5)
    around = 0.6 * chunk.outdoor("day_mean_c") + 13.0
    hotter = HOT_WINDING_K * chunk.share_active("transformer_overheated", transformer.id)
    target = (around + 8.0 + 60.0 * ratio**1.6).mean(axis=0) + hotter
    levels = chunk.relax(
        f"{transformer.id}-winding", np.array([40.0]), target[:, None], np.full((chunk.grid.count, 1), 7200.0)
    )
    chunk.put(transformer, "winding_temperature", chunk.ends(levels[:, 0]), 0.05)
    own = rated * (0.006 + 0.04 * ratio**2)
    return chunk.line(f"{transformer.id}-loss", loss), chunk.line(f"{transformer.id}-own", own)
