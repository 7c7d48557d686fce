"""EUI and per-head figures of departments: by their own meter, else their spaces' energy by floor area."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from energy_center.analysis.eui import Intensity, intensity
from energy_center.analysis.grid import Step
from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Site, Space, Text
from energy_center.domain.timeline import Interval
from energy_center.errors import NotFound
from energy_center.services.current_site import current_site
from energy_center.services.read_energy import MeterEnergy, read_energy
from energy_center.services.read_intensity import check_period, measured_by, meter_of_space, number_of
from energy_center.store.pool import Database

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class DepartmentPart:
    """What a department has in one space; `headcount` None where nobody is counted."""

    space_id: str
    area_m2: float
    headcount: float | None


@dataclass(frozen=True, slots=True)
class Department:
    """A department of the site file, with its parts in file order."""

    department_id: str
    name: Text
    parts: tuple[DepartmentPart, ...]

    @property
    def area_m2(self) -> float:
        """The area of all parts."""
        return sum(part.area_m2 for part in self.parts)

    @property
    def headcount(self) -> float | None:
        """The people of all parts, None unless every part counts its own: the others' energy has no heads."""
        counted = [part.headcount for part in self.parts if part.headcount is not None]
        return sum(counted) if counted and len(counted) == len(self.parts) else None


@dataclass(frozen=True, slots=True)
class DepartmentFigures:
    """Electricity of a department over [start, end).

    `shares` 0..1 by meter expression is the part of each meter's energy that the department gets by its floor
    area; `is_allocated` is False where a meter of its own measures it and no other part of it. `coverage` is
    that of the least covered meter.
    """

    department: Department
    start: datetime
    end: datetime
    shares: Mapping[str, float]
    is_allocated: bool
    energy_kwh: float | None
    coverage: float
    intensity: Intensity | Insufficient


def departments_of(site: Site, within: str) -> list[Department]:
    """The departments that have a part in a space or below it, with those parts alone."""
    found: dict[str, tuple[Text, list[DepartmentPart]]] = {}
    for space in _below(site, within):
        listed = space.attributes.get("departments")
        for facts in listed if isinstance(listed, list) else ():
            name = Text(facts["name"]["zh-TW"], facts["name"]["en"])
            part = DepartmentPart(space.space_id, facts["area_m2"], facts["headcount"])
            found.setdefault(facts["id"], (name, []))[1].append(part)
    return [Department(name, words, tuple(parts)) for name, (words, parts) in found.items()]


def _below(site: Site, within: str) -> list[Space]:
    by_id = {space.space_id: space for space in site.spaces}

    def is_inside(space: Space | None) -> bool:
        while space is not None and space.space_id != within:
            space = by_id.get(space.parent_id) if space.parent_id else None
        return space is not None

    return [space for space in site.spaces if is_inside(space)]


async def read_departments(db: Database, space_id: str, period: Interval) -> list[DepartmentFigures]:
    """Every department of a space. Raises NotFound for an unknown space or one that no meter bears on."""
    check_period(period)
    site = await current_site(db)
    if space_id not in {s.space_id for s in site.spaces}:
        raise NotFound(f"No space '{space_id}'.")
    departments = departments_of(site, space_id)
    shares = {d.department_id: _shares(site, d) for d in departments}
    meters = {meter for by_meter in shares.values() for meter in by_meter}
    energy = {meter: await read_energy(db, meter, period, Step.DAY) for meter in sorted(meters)}
    return [
        _figures(
            d,
            shares[d.department_id],
            energy,
            is_allocated=shares[d.department_id] != {meter_of_space(site, d.department_id): 1.0},
        )
        for d in departments
    ]


def _shares(site: Site, department: Department) -> dict[str, float]:
    own = meter_of_space(site, department.department_id)
    if own is not None:  # it measures the parts in other spaces too
        return {own: department.area_m2 / _whole_area_m2(site, department.department_id)}
    spaces = {space.space_id: space for space in site.spaces}
    shares: dict[str, float] = {}
    for part in department.parts:
        space = spaces[part.space_id]
        meter, of_meter = measured_by(site, space)
        whole = number_of(space, "area_m2")
        if not whole:
            raise NotFound(f"'{space.space_id}' has no floor area to share its energy by.")
        share = part.area_m2 / whole * (1.0 if of_meter is None else of_meter)
        shares[meter] = shares.get(meter, 0.0) + share
    return {meter: min(share, 1.0) for meter, share in shares.items()}


def _whole_area_m2(site: Site, department_id: str) -> float:
    tops = [space.space_id for space in site.spaces if space.parent_id is None]
    all_parts = [d for top in tops for d in departments_of(site, top) if d.department_id == department_id]
    return sum(d.area_m2 for d in all_parts)


def _figures(
    department: Department,
    shares: Mapping[str, float],
    energy: Mapping[str, MeterEnergy],
    *,
    is_allocated: bool,
) -> DepartmentFigures:
    found = [(energy[meter].energies, share) for meter, share in shares.items()]
    totals = [(energies.total, share) for energies, share in found]
    known = [total * share for total, share in totals if total is not None]
    kwh = sum(known) if len(known) == len(totals) else None
    edges = found[0][0].edges_s
    coverage = min(energies.total_coverage for energies, _ in found)
    return DepartmentFigures(
        department=department,
        start=datetime.fromtimestamp(float(edges[0]), UTC),
        end=datetime.fromtimestamp(float(edges[-1]), UTC),
        shares=shares,
        is_allocated=is_allocated,
        energy_kwh=kwh,
        coverage=coverage,
        intensity=intensity(
            kwh, coverage, float(np.ptp(edges)) / _DAY_S, department.area_m2, department.headcount
        ),
    )
