"""Finds the catalogue's measures by their place: `catalogue/<measure>.py`; no list to maintain."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from energy_center.errors import NotFound
from energy_center.suggestions import catalogue
from energy_center.suggestions.measure import Entry


@cache
def measures() -> Mapping[str, Entry]:
    """Every measure by its id, in order of id. Raises ValueError when two files give the same id."""
    found: dict[str, Entry] = {}
    for module in pkgutil.iter_modules(catalogue.__path__, catalogue.__name__ + "."):
        held = importlib.import_module(module.name)
        if held.MEASURE.measure_id in found:
            raise ValueError(f"{module.name}: measure id {held.MEASURE.measure_id} is taken")
        found[held.MEASURE.measure_id] = Entry(held.MEASURE, held.find)
    return MappingProxyType(dict(sorted(found.items())))


def find_measure(measure_id: str) -> Entry:
    """One measure. Raises NotFound, naming those that there are."""
    entry = measures().get(measure_id)
    if entry is None:
        raise NotFound(f"There is no measure {measure_id}; there are {', '.join(measures())}")
    return entry
