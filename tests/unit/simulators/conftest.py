import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import simulators
from simulators.faults import Fault, resolve
from simulators.history import Month, history
from simulators.model import Model, load_model

TAIPEI = dt.timezone(dt.timedelta(hours=8))
ORIGIN = dt.datetime(2026, 8, 3, tzinfo=TAIPEI)  # a Monday in the hot season
END = dt.datetime(2026, 8, 6, tzinfo=TAIPEI)
STEP_S = 900


class Past:
    """Three summer days of every signal, by key."""

    def __init__(self, month: Month) -> None:
        self.keys = month.keys
        self.readings = month.readings
        self._row = {key: row for row, key in enumerate(month.keys)}
        self.time = month.start.timestamp() + np.arange(month.readings.shape[1]) * month.step_s

    def of(self, equipment: str, signal: str) -> np.ndarray:
        return self.readings[self._row[(equipment, signal)]]


@pytest.fixture(scope="session")
def model() -> Model:
    return load_model(Path(simulators.__file__).parent / "sites" / "taichung.yaml")


@pytest.fixture(scope="session")
def run_past(model: Model) -> Callable[..., Past]:
    def run(faults: Sequence[Fault] = (), seed: int = 1) -> Past:
        months = list(history(model, seed, ORIGIN, END, STEP_S, faults=faults, origin=ORIGIN.timestamp()))
        return Past(months[0])

    return run


@pytest.fixture(scope="session")
def healthy(run_past: Callable[..., Past]) -> Past:
    return run_past()


@pytest.fixture(scope="session")
def make_fault(model: Model) -> Callable[..., Fault]:
    def make(name: str, equipment: str | None = None, first_h: float = 36.0, last_h: float = 60.0) -> Fault:
        start = ORIGIN.timestamp()
        return Fault(name, resolve(model, name, equipment), start + first_h * 3600, start + last_h * 3600)

    return make
