"""All measures on one building's past: each saving in kWh, NT$ and kg CO2, and all of them together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.suggestions.history import QUARTER_H, Floats, History
from energy_center.suggestions.measure import Bars, Draft, Entry, Measure
from energy_center.suggestions.money import Pricer, carbon_kg
from energy_center.suggestions.overlap import Overlap, join_claims, uppermost

LEAST_NTD = 3_000.0  # a year; less than a morning's work is no suggestion
_SLOTS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Appraised:
    """A saving a year. `money_ntd` None without a tariff; `counted_kwh` is its part of the total.

    `payback_years` None where no cost is known.
    """

    measure: Measure
    draft: Draft
    energy_kwh: float
    money_ntd: float | None
    carbon_kg: float
    payback_years: float | None
    counted_kwh: float
    bars: Bars | None
    parameters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """All savings together, each equipment-hour once; money None without a tariff."""

    energy_kwh: float
    money_ntd: float | None
    carbon_kg: float
    water_m3: float
    sum_kwh: float
    sum_ntd: float | None
    used_kwh: float
    bill_ntd: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Appraisal:
    """What was found, most money first, and why the other measures have no answer."""

    found: tuple[Appraised, ...]
    together: Portfolio
    not_known: Mapping[str, tuple[str, ...]]


def appraise(history: History, entries: Sequence[Entry]) -> Appraisal:
    """Run every measure. What is worth less than `LEAST_NTD` a year is left out."""
    pricer = Pricer(history, history.billing) if history.billing else None
    drafts: list[tuple[Entry, Draft]] = []
    not_known: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        answer = entry.find(history, entry.measure.defaults())
        if isinstance(answer, Insufficient):
            not_known[entry.measure.measure_id] = answer.reasons
        else:
            drafts += [(entry, draft) for draft in answer]
    money = [_money(d, history, pricer) for _, d in drafts]
    kept = [(e, d, m) for (e, d), m in zip(drafts, money, strict=True) if m is None or m >= LEAST_NTD]
    used = {meter: kw * QUARTER_H for meter, kw in history.power_kw.items()}
    overlap = join_claims([d.saved for _, d, _ in kept], used, history.parents)
    found = [
        _appraised(history, e, d, m, counted)
        for (e, d, m), counted in zip(kept, overlap.counted, strict=True)
    ]
    found.sort(key=lambda a: (-(a.money_ntd or 0.0), a.measure.measure_id, a.draft.subject_id))
    return Appraisal(tuple(found), _together(history, pricer, found, overlap, used), not_known)


def sum_saved(draft: Draft, history: History) -> Floats:
    """KWh a quarter-hour over all meters of a draft; what is behind another of them counts once."""
    saved: Floats = np.zeros(len(history))
    if len(uppermost(draft.saved, history.parents)) < len(draft.saved):
        used = {meter: kw * QUARTER_H for meter, kw in history.power_kw.items()}
        joined = join_claims([draft.saved], used, history.parents).saved.values()
    else:
        joined = draft.saved.values()
    for one in joined:
        saved = saved + np.nan_to_num(one, nan=0.0)
    return saved


def sum_moved(draft: Draft, length: int, shares: Mapping[str, float] | None = None) -> Floats:
    """Taken less given, kWh a quarter-hour; `shares` of each meter's load that are left to be moved."""
    moved: Floats = np.zeros(length)
    for move in draft.moves:
        share = 1.0 if shares is None else shares.get(move.meter_id, 1.0)
        moved = moved + share * (np.nan_to_num(move.taken) - np.nan_to_num(move.given))
    return moved


def _money(draft: Draft, history: History, pricer: Pricer | None) -> float | None:
    if draft.money_ntd is not None and not draft.saved and not draft.moves:
        return draft.money_ntd
    if pricer is None:
        return None
    less = sum_saved(draft, history) + sum_moved(draft, len(history))
    return pricer.saved_ntd(less) + (draft.money_ntd or 0.0)


def _appraised(
    history: History, entry: Entry, draft: Draft, money: float | None, counted: float
) -> Appraised:
    saved = sum_saved(draft, history) + sum_moved(draft, len(history))
    payback = draft.cost_ntd / money if draft.cost_ntd and money and money > 0 else None
    return Appraised(
        measure=entry.measure,
        draft=draft,
        energy_kwh=float(np.sum(saved)),
        money_ntd=money,
        carbon_kg=carbon_kg(history, saved),
        payback_years=payback,
        counted_kwh=counted,
        bars=draft.bars or _typical_day(history, draft),
        parameters=entry.measure.defaults(),
    )


def _typical_day(history: History, draft: Draft) -> Bars | None:
    """Mean power of the meters concerned by the hour, on the days that the measure changes."""
    meters = uppermost({*draft.saved, *(m.meter_id for m in draft.moves)}, history.parents)
    if not meters:
        return None
    less = sum_saved(draft, history) + sum_moved(draft, len(history))
    touched = np.zeros(len(history.days), dtype=np.bool_)
    np.logical_or.at(touched, history.day_of, np.abs(less) > 0)
    concerned = touched[history.day_of]
    power: Floats = np.zeros(len(history))
    for meter in meters:
        power = power + history.power_kw[meter]
    before, after = [], []
    for slot in range(_SLOTS):
        rows = concerned & history.between(slot, slot + 1) & ~np.isnan(power)
        if not np.any(rows):
            return None
        before.append(float(np.mean(power[rows])))
        after.append(float(np.mean(power[rows] - less[rows] / QUARTER_H)))
    labels = tuple(f"{slot:02d}" for slot in range(_SLOTS))
    return Bars("kW", labels, tuple(round(x, 2) for x in before), tuple(round(x, 2) for x in after))


def _together(
    history: History,
    pricer: Pricer | None,
    found: Sequence[Appraised],
    overlap: Overlap,
    used: Mapping[str, Floats],
) -> Portfolio:
    """All of them: energy by meter, then what is moved of the rest, then what changes the bill alone."""
    saved: Floats = np.zeros(len(history))
    for one in overlap.saved.values():
        saved = saved + one
    left = _left(found, used, len(history))
    moved: Floats = np.zeros(len(history))
    for one_found in found:
        moved = moved + sum_moved(one_found.draft, len(history), left)
    net = saved + moved
    sum_kwh = sum(a.energy_kwh for a in found)
    energy = min(float(np.sum(net)), sum_kwh)
    sum_ntd = sum(a.money_ntd or 0.0 for a in found) if pricer else None
    money = None if pricer is None else min(pricer.saved_ntd(net) + _slots(found), sum_ntd or 0.0)
    main = history.main_meter()
    return Portfolio(
        energy_kwh=energy,
        money_ntd=money,
        carbon_kg=carbon_kg(history, net),
        water_m3=sum(a.draft.water_m3 or 0.0 for a in found),
        sum_kwh=sum_kwh,
        sum_ntd=sum_ntd,
        used_kwh=float(np.nansum(used[main])) if main else 0.0,
        bill_ntd=pricer.before_ntd if pricer else None,
    )


def _left(found: Sequence[Appraised], used: Mapping[str, Floats], length: int) -> dict[str, float]:
    """Share of what a move takes that savings at its meter leave over."""
    left: dict[str, float] = {}
    for move in (m for a in found for m in a.draft.moves):
        taken = np.nan_to_num(move.taken) > 0
        use = float(np.nansum(used[move.meter_id][taken]))
        claims = [
            np.nan_to_num(a.draft.saved[move.meter_id]) for a in found if move.meter_id in a.draft.saved
        ]
        most = np.max(claims, axis=0) if claims else np.zeros(length)
        left[move.meter_id] = max(0.0, 1.0 - float(np.sum(most[taken])) / use) if use > 0 else 0.0
    return left


def _slots(found: Sequence[Appraised]) -> float:
    """What changes the bill alone: the largest of each slot."""
    best: dict[str, float] = {}
    for one in found:
        if one.draft.money_ntd is not None:
            best[one.draft.slot] = max(best.get(one.draft.slot, 0.0), one.draft.money_ntd)
    return sum(best.values())
