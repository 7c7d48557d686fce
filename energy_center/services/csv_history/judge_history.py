"""The rules over an export: the same detection and holds as live, and what was found day by day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.domain.site import Site
from energy_center.errors import Invalid, NotFound
from energy_center.rules.backtest import Backtest, Finding, replay
from energy_center.rules.bind import Binding, bind
from energy_center.rules.find_rules import find_rule, rules
from energy_center.rules.rule import CatalogueEntry
from energy_center.rules.window import US, Micros, from_micros, to_micros
from energy_center.services.csv_history.history_map import (
    HistoryMap,
    mapped_columns,
    read_history_map,
    site_of,
)
from energy_center.services.csv_history.read_history import History, read_history

# a rule begins afresh after so long without a row, as a live run does after so long a pause
LONGEST_PAUSE = timedelta(hours=24)
TUNING = frozenset({"hold", "keep", "step"})


@dataclass(frozen=True, slots=True)
class DayDetection:
    """A finding on a local day on which its fault was seen, with the hours in which it was."""

    on: date
    finding: Finding
    hours: float


@dataclass(frozen=True, slots=True)
class DayScore:
    """Days judged against the file's own truth; a day is faulty when most of its rows are."""

    faulty_days: int
    found_days: int
    healthy_days: int
    false_days: int

    @property
    def recall(self) -> float | None:
        """Share of the faulty days with a detection; None where there are none."""
        return round(self.found_days / self.faulty_days, 3) if self.faulty_days else None

    @property
    def precision(self) -> float | None:
        """Share of the days with a detection that are faulty; None where nothing was detected."""
        detected = self.found_days + self.false_days
        return round(self.found_days / detected, 3) if detected else None


@dataclass(frozen=True, slots=True)
class Judged:
    """One rule at one equipment over the whole export."""

    binding: Binding
    findings: tuple[Finding, ...]
    unknown_share: float


@dataclass(frozen=True, slots=True)
class HistoryReport:
    """All that the rules found in an export; `truth` says of each day whether the file calls it faulty."""

    history: History
    days: tuple[date, ...]
    judged: tuple[Judged, ...]
    detections: tuple[DayDetection, ...]
    truth: Mapping[date, bool]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all rules, by time."""
        found = (f for j in self.judged for f in j.findings)
        return tuple(sorted(found, key=lambda f: (f.raised_at, f.rule_id, f.equipment_id)))

    @property
    def score(self) -> DayScore | None:
        """Against the file's truth, where it has one."""
        if not self.truth:
            return None
        seen = {d.on for d in self.detections}
        faulty = {on for on, is_faulty in self.truth.items() if is_faulty}
        healthy = set(self.truth) - faulty
        return DayScore(len(faulty), len(faulty & seen), len(healthy), len(healthy & seen))


def judge_file(
    file: Path, map_file: Path, rule_ids: Sequence[str], overrides: Mapping[str, Mapping[str, float]]
) -> HistoryReport:
    """Run the rules named, or all that apply, over an export.

    `overrides` go before the map's own `rules`. Raises ConfigError for mistakes in map or file, NotFound for
    a rule that does not exist or applies to nothing here, Invalid for an unknown parameter.
    """
    wanted = read_history_map(map_file)
    columns = mapped_columns(wanted, map_file)
    entries = {r: find_rule(r) for r in rule_ids} or dict(rules())
    site = _tuned(site_of(wanted, [c.point for c in columns]), overrides)
    bound = bind(entries, site)
    if rule_ids and not bound:
        raise NotFound(f"{', '.join(rule_ids)}: no equipment of {map_file} has the inputs; {_wants(entries)}")
    return judge(read_history(file, wanted, columns), bound, wanted)


def judge(history: History, bound: Sequence[Binding], wanted: HistoryMap) -> HistoryReport:
    """Every binding over every stretch of rows."""
    zone = ZoneInfo(wanted.time.zone)
    judged: list[Judged] = []
    detections: list[DayDetection] = []
    for binding in bound:
        step_s = max(binding.timing.step_s, history.interval_s)
        on_step = replace(binding, timing=replace(binding.timing, step_s=step_s))
        runs = [
            replay(on_step, history.samples, {}, start, end, zone)
            for start, end in _stretches(history, step_s)
        ]
        judged.append(_together(on_step, runs))
        detections += [d for run in runs for d in _by_day(run, zone)]
    detections.sort(key=lambda d: (d.on, d.finding.raised_at, d.finding.rule_id, d.finding.equipment_id))
    days = _days(history.at, zone)
    return HistoryReport(
        history, tuple(sorted(set(days))), tuple(judged), tuple(detections), _truth(history, days)
    )


def _tuned(site: Site, overrides: Mapping[str, Mapping[str, float]]) -> Site:
    own = {rule_id.partition("@")[0]: p for rule_id, p in site.rule_parameters.items()}
    for rule_id, given in [*own.items(), *overrides.items()]:
        known = {p.name for p in find_rule(rule_id).rule.parameters} | TUNING
        if unknown := set(given) - known:
            raise Invalid(
                f"{rule_id} has no parameter {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}"
            )
    merged = {r: {**site.rule_parameters.get(r, {}), **given} for r, given in overrides.items()}
    return replace(site, rule_parameters={**site.rule_parameters, **merged})


def _wants(entries: Mapping[str, CatalogueEntry]) -> str:
    needs = (
        f"{rule_id} needs {', '.join(str(i.role or i.where) for i in entry.rule.inputs if not i.optional)}"
        + (f" at {', '.join(sorted(entry.rule.classes))}" if entry.rule.classes else "")
        for rule_id, entry in entries.items()
    )
    return "; ".join(needs)


def _stretches(history: History, step_s: float) -> Iterator[tuple[datetime, datetime]]:
    """From one step before a stretch's first row to its last row."""
    breaks = np.flatnonzero(np.diff(history.at) > LONGEST_PAUSE / timedelta(microseconds=1))
    firsts, lasts = [0, *(breaks + 1)], [*breaks, len(history.at) - 1]
    for first, last in zip(firsts, lasts, strict=True):
        start = from_micros(int(history.at[first])) - timedelta(seconds=step_s)
        yield start, from_micros(int(history.at[last])) + timedelta(microseconds=1)


def _together(binding: Binding, runs: Sequence[Backtest]) -> Judged:
    steps = sum(r.judged_steps for r in runs)
    unknown = sum(r.unknown_share * r.judged_steps for r in runs)
    findings = tuple(f for r in runs for f in r.findings)
    return Judged(binding, findings, unknown / steps if steps else 0.0)


def _by_day(run: Backtest, zone: ZoneInfo) -> Iterator[DayDetection]:
    step_h = run.binding.timing.step_s / 3_600.0
    for finding in run.findings:
        until = to_micros(finding.returned_at) if finding.returned_at else np.iinfo(np.int64).max
        seen = run.true_at[(run.true_at >= to_micros(finding.onset_at)) & (run.true_at <= until)]
        days, steps = np.unique(np.array(_days(seen, zone), dtype="datetime64[D]"), return_counts=True)
        for on, count in zip(days, steps, strict=True):
            yield DayDetection(on.item(), finding, round(float(count) * step_h, 2))


def _days(at: Micros, zone: ZoneInfo) -> list[date]:
    """The local day of each instant."""
    quarters, place = np.unique(at // (900 * US), return_inverse=True)
    of_quarter = [from_micros(int(q) * 900 * US).astimezone(zone).date() for q in quarters]
    return [of_quarter[i] for i in place]


def _truth(history: History, days: Sequence[date]) -> dict[date, bool]:
    if history.faulty is None:
        return {}
    rows: dict[date, list[bool]] = {}
    for on, is_faulty in zip(days, history.faulty, strict=True):
        rows.setdefault(on, []).append(bool(is_faulty))
    return {on: sum(found) * 2 > len(found) for on, found in rows.items()}
