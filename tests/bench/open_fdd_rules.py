"""Run in open-fdd's own environment: how long its rules take over a frame; nothing of ours is imported."""

import json
import statistics
import sys
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
from open_fdd.rules import RULES_BY_ID, run_cookbook_rule
from open_fdd.rules.base import confirm_fault


def main(file: str, runs: int, rule_ids: list[str]) -> None:
    """Print milliseconds by rule, as medians."""
    data = dict(np.load(file))
    index = pd.to_datetime(data.pop("at"), unit="us", utc=True)
    frame = pd.DataFrame(data, index=index)
    frame.attrs["equipment_id"] = "AHU-1"
    found: dict[str, object] = {"version": version("open-fdd")}
    for rule_id in rule_ids:
        rule = RULES_BY_ID[rule_id]

        def detect(rule=rule):
            raw = rule.compute(frame, rule.defaults(), 300.0)
            return confirm_fault(raw, poll_seconds=300.0, confirm_seconds=rule.confirm_seconds)

        def whole(rule=rule):
            return run_cookbook_rule(
                rule,
                frame,
                equipment_id="AHU-1",
                equipment_kind="ahu",
                equipment_type="AHU",
                poll_seconds=300.0,
                skip_weather_merge=True,
            )

        result = whole()
        found[rule_id] = _median_ms(whole, runs)
        found[f"{rule_id}: detection alone"] = _median_ms(detect, runs)
        found[f"{rule_id}: status"] = str(result.status)
    sys.stdout.write(json.dumps(found))


def _median_ms(call, runs):
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)


main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
