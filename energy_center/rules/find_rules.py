"""Finds the catalogue's rules by their place: `catalogue/<subject>/<rule>.py`; no list to maintain."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType, ModuleType

from energy_center.errors import NotFound
from energy_center.rules import catalogue
from energy_center.rules.rule import CatalogueEntry


@cache
def rules() -> Mapping[str, CatalogueEntry]:
    """Every rule of the catalogue by its id, in order of id.

    Raises ValueError when two files give the same id.
    """
    found: dict[str, CatalogueEntry] = {}
    for name in sorted(_module_names()):
        entry = _entry(importlib.import_module(name))
        if entry.rule.rule_id in found:
            raise ValueError(f"{name}: rule id {entry.rule.rule_id} is taken")
        found[entry.rule.rule_id] = entry
    return MappingProxyType(dict(sorted(found.items())))


def find_rule(rule_id: str) -> CatalogueEntry:
    """One rule.

    Raises NotFound, naming the rules that there are.
    """
    entry = rules().get(rule_id)
    if entry is None:
        raise NotFound(f"There is no rule {rule_id}; there are {', '.join(rules())}")
    return entry


def _module_names() -> list[str]:
    modules = pkgutil.walk_packages(catalogue.__path__, catalogue.__name__ + ".")
    return [m.name for m in modules if not m.ispkg]


def _entry(module: ModuleType) -> CatalogueEntry:
    return CatalogueEntry(rule=module.RULE, detect=module.detect, saving=getattr(module, "saving", None))
