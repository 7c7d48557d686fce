"""The emission factors that are shipped, read once a process."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from importlib import resources

import yaml
from pydantic import Field, ValidationError

from energy_center.analysis.carbon import EmissionFactor
from energy_center.config.fields import Strict
from energy_center.errors import ConfigError

_FILE = "electricity-taiwan.yaml"


class _Row(Strict):
    year: int = Field(ge=2000, le=2100)
    kg_per_kwh: float = Field(gt=0, lt=2)
    announced_on: date | None = None
    source: str = Field(min_length=1)
    checked_by: str | None = None


class _File(Strict):
    grid: str
    unit: str = Field(pattern="^kg/kW.h$")
    factors: list[_Row] = Field(min_length=1)


@lru_cache(maxsize=1)
def electricity_factors() -> Sequence[EmissionFactor]:
    """Grid electricity of Taiwan, by year. Raises ConfigError when the file is wrong."""
    text = (resources.files("energy_center.analysis") / "factors" / _FILE).read_text(encoding="utf-8")
    return parse_factors(text, _FILE)


def parse_factors(text: str, file: str) -> tuple[EmissionFactor, ...]:
    """Factors of a file; raises ConfigError with every mistake."""
    try:
        rows = _File.model_validate(yaml.safe_load(text)).factors
    except ValidationError as cause:
        mistakes = [f"{file}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in cause.errors()]
        raise ConfigError(mistakes) from cause
    years = [row.year for row in rows]
    twice = sorted({year for year in years if years.count(year) > 1})
    if twice:
        raise ConfigError([f"{file}: factors: the year {year} is named twice" for year in twice])
    return tuple(EmissionFactor(r.year, r.kg_per_kwh, r.announced_on, r.source, r.checked_by) for r in rows)
