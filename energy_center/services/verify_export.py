"""A measure verified from two files, without any database."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from energy_center.analysis.verification.choose import Method
from energy_center.analysis.verification.series import DaySpan, fingerprint
from energy_center.analysis.verification.verify import Adjustment, Verification, verify
from energy_center.domain.calendars import GovernmentCalendar
from energy_center.errors import Invalid
from energy_center.services.meter_csv.model import Export, Quantity
from energy_center.services.study_export import Study
from energy_center.services.verification_series import MeasuredDays, Temperatures, measured_days


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be verified; spans are local days."""

    baseline: DaySpan
    reporting: DaySpan
    adjustments: Sequence[Adjustment] = ()
    method: Method = Method.AUTO
    country: str = "TW"


@dataclass(frozen=True, slots=True)
class Answer:
    """A verification with the hash of the data that it rests on."""

    verification: Verification
    data_hash: str


def verify_export(meter: Study, temperature: Export, asked: Asked) -> Answer:
    """Raises Invalid where the files hold something else, or nothing of the days asked for."""
    _check(meter.export, temperature, asked)
    found = _measured(meter, temperature, asked)
    answer = verify(found.days, found.hours, asked.baseline, asked.reporting, asked.adjustments, asked.method)
    return Answer(answer, fingerprint(found.days, found.hours))


def _check(meter: Export, temperature: Export, asked: Asked) -> None:
    if meter.unit not in {"kW", "kW.h"}:
        raise Invalid(f"{meter.file} holds {meter.unit}; a saving is verified in kWh")
    if temperature.quantity is not Quantity.TEMPERATURE:
        raise Invalid(
            f"{temperature.file} holds {temperature.quantity.value} in {temperature.unit}; "
            "expected temperatures (a heading such as °C, or --temperature-column)"
        )
    check_spans(asked.baseline, asked.reporting)


def check_spans(baseline: DaySpan, reporting: DaySpan) -> None:
    """Raises Invalid unless the baseline ends before the reporting period begins."""
    if baseline.last >= reporting.first:
        raise Invalid(
            f"The baseline ends on {baseline.last} and the reporting period begins on {reporting.first}: "
            "the baseline must end before it"
        )


def _measured(meter: Study, temperature: Export, asked: Asked) -> MeasuredDays:
    span = DaySpan(asked.baseline.first, asked.reporting.last)
    outdoor = Temperatures(temperature.at_s, temperature.value, temperature.interval_s)
    return measured_days(
        meter.energies_over,
        meter.export.interval_s,
        outdoor,
        span,
        ZoneInfo(meter.export.zone),
        GovernmentCalendar(asked.country),
    )
