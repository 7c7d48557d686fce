from dataclasses import replace
from pathlib import Path

from energy_center.config.load_site import load_site
from energy_center.config.plan import Change, plan_changes

FILES = Path(__file__).parent / "files"


def test_first_plan_adds_everything() -> None:
    site = load_site(FILES / "site.good.yaml", FILES / "profiles").site
    changes = plan_changes(None, site)
    assert {c.action for c in changes} == {"add"}
    assert sum(c.kind == "point" for c in changes) == len(site.points())


def test_same_site_changes_nothing() -> None:
    site = load_site(FILES / "site.good.yaml", FILES / "profiles").site
    assert plan_changes(site, site) == []


def test_what_vanished_is_retired_and_what_moved_is_changed() -> None:
    site = load_site(FILES / "site.good.yaml", FILES / "profiles").site
    *rest, lobby = site.equipment
    moved = replace(rest[-1], space_id="a")

    changes = plan_changes(site, replace(site, equipment=(*rest[:-1], moved)))

    assert Change("change", "equipment", "ahu", "space: a-1 → a") in changes
    assert Change("retire", "equipment", lobby.equipment_id) in changes
    assert Change("retire", "point", "sensor/zone_temperature") in changes
