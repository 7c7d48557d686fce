"""The tariffs that are shipped, read once a process."""

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from energy_center.errors import NotFound
from energy_center.tariffs.demand_response import Programme, parse_programme
from energy_center.tariffs.tariff_file import parse_edition
from energy_center.tariffs.tariff_model import Edition, Tariff, join_editions


@lru_cache(maxsize=1)
def shipped_tariffs() -> Mapping[str, Tariff]:
    """Every tariff of the catalogue by id. Raises ConfigError when a file is wrong."""
    folder = resources.files("energy_center.tariffs") / "catalogue"
    editions: dict[str, list[Edition]] = defaultdict(list)
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            edition = parse_edition(file.read_text(encoding="utf-8"), file.name)
            editions[edition.tariff_id].append(edition)
    return {tariff_id: join_editions(found) for tariff_id, found in editions.items()}


def tariff(tariff_id: str) -> Tariff:
    """A shipped tariff. Raises NotFound for an unknown id."""
    found = shipped_tariffs().get(tariff_id)
    if found is None:
        raise NotFound(f"No tariff '{tariff_id}'; there are: {', '.join(sorted(shipped_tariffs()))}")
    return found


@lru_cache(maxsize=1)
def shipped_programmes() -> Mapping[str, Programme]:
    """Every demand-response programme by id. Raises ConfigError when a file is wrong."""
    folder = resources.files("energy_center.tariffs") / "programmes"
    found = [parse_programme(f.read_text(encoding="utf-8"), f.name) for f in folder.iterdir()]
    return {programme.programme_id: programme for programme in found}


def programme(programme_id: str) -> Programme:
    """A shipped programme. Raises NotFound for an unknown id."""
    found = shipped_programmes().get(programme_id)
    if found is None:
        raise NotFound(f"No programme '{programme_id}'; there are: {', '.join(sorted(shipped_programmes()))}")
    return found
