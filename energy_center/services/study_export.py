"""What a meter's export says of its energy: for people who have a file and no installation yet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.analysis.counters import CounterEvent, FloatArray, Register
from energy_center.analysis.demand import BLOCK_S, Windows, block_windows, running_demand
from energy_center.analysis.grid import Step, edges_of, period_of
from energy_center.analysis.intervals import Energies, Method, gaps, of_intervals, of_register
from energy_center.analysis.registers import Exchange, clean_exchanged, learn_register
from energy_center.errors import Invalid
from energy_center.services.meter_csv.model import Assumption, Export, Quantity

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """An export ready to be cut.

    `energies_over` gives the energies between rising edges. `events` of its register; `gaps` as (last before,
    first after), epoch seconds. `assumptions` are those of the file and ours.
    """

    export: Export
    energies_over: Callable[[FloatArray], Energies]
    events: tuple[CounterEvent, ...]
    gaps: tuple[tuple[float, float], ...]
    assumptions: tuple[Assumption, ...]

    @property
    def zone(self) -> ZoneInfo:
        """Where the meter stands."""
        return ZoneInfo(self.export.zone)

    def cut(self, step: Step) -> Energies:
        """The energies of all steps that the file touches."""
        period = period_of(float(self.export.at_s[0]), max(self.export.end_s, float(self.export.at_s[0]) + 1))
        return self.energies_over(edges_of(period, step, self.zone))


def study(
    export: Export,
    max_kw: float | None = None,
    rollover_at: float | None = None,
    exchanges: Sequence[Exchange] = (),
) -> Study:
    """Make an export ready. `max_kw`: the fastest the register can count an hour; learnt where None."""
    at_s, interval_s = export.at_s, export.interval_s
    if export.quantity is Quantity.TEMPERATURE:
        raise Invalid(f"{export.file} holds temperatures; say --column value=… for a meter's values")
    if export.quantity is not Quantity.REGISTER:
        if exchanges:
            raise Invalid("An exchange is of a register; these values are not readings of one")
        return _study_of_values(export)
    register, assumptions = _register(export, max_kw, rollover_at)
    running = clean_exchanged(at_s, export.value, register, exchanges)
    return Study(
        export,
        lambda edges_s: of_register(running, edges_s, 2 * interval_s),
        running.events,
        gaps(at_s, 2 * interval_s),
        (*export.assumptions, *assumptions),
    )


def _study_of_values(export: Export) -> Study:
    interval_s = export.interval_s
    hours = interval_s / _HOUR_S
    method = Method.POWER if export.quantity is Quantity.POWER else Method.INTERVALS
    energy = export.value * hours if method is Method.POWER else export.value
    return Study(
        export,
        lambda edges_s: of_intervals(export.at_s, interval_s, energy, edges_s, method),
        (),
        gaps(export.at_s, 1.5 * interval_s),
        export.assumptions,
    )


def _register(
    export: Export, max_kw: float | None, rollover_at: float | None
) -> tuple[Register, tuple[Assumption, ...]]:
    learnt = learn_register(export.at_s, export.value, rollover_at)
    rate = learnt.max_rate_per_h if max_kw is None else max_kw
    register = Register(rate, learnt.modulus, learnt.resolution)
    unit = export.unit.replace(".", "")
    width = "has no known width" if register.modulus is None else f"begins again at {register.modulus:,.10g}"
    return register, (
        Assumption(
            f"The register counts at most {rate:,.6g} {unit} an hour: four times its usual rise."
            if max_kw is None
            else f"The register counts at most {rate:,.6g} {unit} an hour.",
            "--max-kw",
            max_kw is not None,
        ),
        Assumption(f"The register {width}.", "--rollover", rollover_at is not None),
        Assumption(
            f"Its last digit is {register.resolution:g}.", "steps back by it are rounding", is_told=True
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class DemandStudy:
    """Block demand aligned to the clock, and running demand at every value's end; kW."""

    blocks: Windows
    running: Windows | None


def study_demand(found: Study, block_s: float = BLOCK_S) -> DemandStudy:
    """Demand of a file. Raises Invalid where its values are coarser than the block.

    Running demand is given where values are finer than the block.
    """
    export = found.export
    if export.interval_s > block_s:
        raise Invalid(
            f"The values are {export.interval_s / 60:g} min apart: the demand of {block_s / 60:g}-min blocks "
            f"cannot be known; --block {export.interval_s / 60:g} gives what can"
        )
    if export.unit not in {"kW", "kW.h"}:
        raise Invalid(f"Demand is of kW or kWh; these values are {export.unit}")
    start, end = float(export.at_s[0]), max(export.end_s, float(export.at_s[0]) + 1)
    first = np.floor(start / block_s) * block_s
    count = max(int(np.ceil((end - first) / block_s)), 1)
    blocks = block_windows(found.energies_over(first + block_s * np.arange(count + 1)))
    if export.interval_s >= block_s:
        return DemandStudy(blocks, None)
    ends = export.at_s + (0.0 if export.quantity is Quantity.REGISTER else export.interval_s)
    return DemandStudy(blocks, running_demand(found.energies_over, ends[ends >= start + block_s], block_s))
