"""Finds overrides in a site file that name no rule, parameter or equipment: they would change nothing."""

from energy_center.domain.site import Site
from energy_center.rules.find_rules import rules

TIMINGS = ("hold", "keep", "step")


def override_mistakes(site: Site) -> list[str]:
    """One full sentence a mistake; empty when all is well."""
    known, equipment = rules(), {e.equipment_id for e in site.equipment}
    mistakes: list[str] = []
    for key, numbers in site.rule_parameters.items():
        rule_id, at, place = key.partition("@")
        if rule_id not in known:
            mistakes.append(f"rules: there is no rule '{rule_id}'; there are {', '.join(known)}")
            continue
        if at and place not in equipment:
            mistakes.append(f"rules: {key}: there is no equipment '{place}'")
        allowed = [*(p.name for p in known[rule_id].rule.parameters), *TIMINGS]
        mistakes += [
            f"rules: {key}: there is no parameter '{name}'; there are {', '.join(allowed)}"
            for name in numbers
            if name not in allowed
        ]
        mistakes += [
            f"rules: {key}: {name} must not be negative, and step not zero (found {numbers[name]:g})"
            for name in TIMINGS
            if name in numbers and (numbers[name] < 0 or (name == "step" and numbers[name] == 0))
        ]
    return mistakes
