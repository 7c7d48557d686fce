"""Runs in opendsm's own environment: `run_opendsm.py IN OUT`; both JSON, one entry a meter."""

import json
import logging
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from opendsm.eemeter import DailyBaselineData, DailyModel, DailyReportingData

_ZONE = "Asia/Taipei"


def _frame(days):
    """Its daily model reads °F."""
    index = pd.DatetimeIndex([day["on"] for day in days]).tz_localize(_ZONE)
    columns = {
        "temperature": [day["temperature_c"] * 1.8 + 32 for day in days],
        "observed": [np.nan if day["energy_kwh"] is None else day["energy_kwh"] for day in days],
    }
    return pd.DataFrame(columns, index=index)


def _run(meter):
    baseline = DailyBaselineData(_frame(meter["baseline"]), is_electricity_data=True)
    model = DailyModel().fit(baseline, ignore_disqualification=True)
    fitted = model.predict(baseline, ignore_disqualification=True)
    after = DailyReportingData(_frame(meter["reporting"]), is_electricity_data=True)
    predicted = model.predict(after, ignore_disqualification=True)
    known = fitted["observed"].notna() & fitted["predicted"].notna()
    missed = fitted["observed"][known] - fitted["predicted"][known]
    return {
        "cv": float(np.sqrt(np.mean(missed**2)) / fitted["observed"][known].mean()),
        "days": {str(at.date()): float(kwh) for at, kwh in predicted["predicted"].dropna().items()},
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)  # one line a meter says that days came as days
    meters = json.loads(Path(sys.argv[1]).read_text())
    found = {"version": version("opendsm"), "meters": [_run(meter) for meter in meters]}
    Path(sys.argv[2]).write_text(json.dumps(found))
