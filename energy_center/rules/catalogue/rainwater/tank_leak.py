"""The tank loses more water than its meters explain, in dry hours.

Rainwater that seeps away is replaced by mains water. Source: mass balance of the tank over an hour: what
came in by the meters, less what went out by them, less the rise of the stored volume. The limit follows
the balance's own scatter, taken from its changes over a day so that a lasting leak does not widen it, and
from dry hours without overflow alone: what overflows is metered nowhere and says nothing of the sensors.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import (
    Case,
    Expect,
    Input,
    Parameter,
    Parameters,
    Rule,
    RuleTexts,
    Verdict,
    Waste,
    Where,
)
from energy_center.rules.window import Floats, Frame, Mask, Signal

HOUR_S = 3600
DAY_S = 86_400
DRY_MM_PER_H = 0.1
# of a normal distribution, four fifths lie within 1.2816 standard deviations of its middle
SHARE, SIGMAS_OF_SHARE = 0.8, 1.2816
EVERY = 3  # steps: neighbouring balances share most of their hour

RULE = Rule(
    rule_id="rain-tank-leak",
    subject="rainwater",
    inputs=(
        Input("level", Role.TANK_LEVEL),
        Input("outlet", Role.TANK_OUTLET_VOLUME),
        Input("inlet", Role.TANK_INLET_VOLUME, optional=True),
        Input("irrigation", Role.IRRIGATION_VOLUME, optional=True),
        Input("mains", Role.MAINS_VOLUME, optional=True),
        Input("overflow", Role.OVERFLOW_STATE, optional=True),
        Input("rain", Role.RAIN_RATE, Where.SITE, optional=True),
    ),
    parameters=(
        Parameter("capacity_m3", None, "m3", "the tank's drawings", attribute="capacity_m3"),
        Parameter("least_m3_per_h", 0.05, "m3/h", "mass balance: smallest loss worth finding"),
        Parameter("scatter_factor", 3.0, "1", "mass balance: three standard deviations"),
        Parameter("window_h", 1.0, "h", "mass balance over one hour"),
    ),
    hold_s=6 * 3600,
    keep_s=6 * 3600,
    priority=Priority.MEDIUM,
    step_s=300,
    lookback_s=DAY_S + 3 * HOUR_S,
    source="mass balance of the tank; leaks of 0.1 m3/h and more",
    fault=("tank_leak",),
    texts={
        "zh-TW": RuleTexts(
            name="雨水池疑似漏水(質量平衡)",
            likely_causes=("池體裂縫或伸縮縫滲漏", "排水閥未關緊", "未計量的取水", "補水管回流"),
            what_to_check=(
                "排水閥與溢流管是否持續流水",
                "停止用水一小時，記錄水位變化",
                "是否有未計量的接管",
                "水位計校正",
            ),
            safety="進入池體屬局限空間作業，須通風、測氣並有人監視。",
            suggestion="關閉各出口做靜置試驗確認漏水率，再安排補漏；期間避免以自來水補至高水位。",
        ),
        "en": RuleTexts(
            name="Rainwater tank loses water unmetered",
            likely_causes=(
                "A crack or an open joint of the tank",
                "The drain valve does not shut",
                "Somebody takes water unmetered",
                "Back flow through the make-up pipe",
            ),
            what_to_check=(
                "Does water run at the drain valve or the overflow?",
                "Stop all use for an hour and note the level",
                "Is there a pipe without a meter?",
                "The level sensor's calibration",
            ),
            safety="Entering a tank is confined-space work: ventilate, measure the air, have somebody watch.",
            suggestion="Shut all outlets and measure the loss at rest, then have it sealed; "
            "until then do not fill it up with mains water.",
        ),
    },
    cases=(
        Case(
            "0.6 m3/h lost from 120 m3",
            {"level": "80..80x60 80..76x480", "outlet": "500x540", "rain": "0x540"},
            ((60, Expect.NORMAL), (200, Expect.PENDING), (530, Expect.ACTIVE)),
            {"capacity_m3": 120.0},
        ),
        Case(
            "use that the outlet meter explains",
            {"level": "80..76x540", "outlet": "500..504.8x540", "rain": "0x540"},
            ((539, Expect.NORMAL),),
            {"capacity_m3": 120.0},
        ),
        Case(
            "rain hours say nothing",
            {"level": "80..76x540", "outlet": "500x540", "rain": "5x540"},
            ((539, Expect.NORMAL),),
            {"capacity_m3": 120.0},
        ),
        Case(
            "without the outlet's counter it cannot tell",
            {"level": "80..76x540", "outlet": "?x540", "rain": "0x540"},
            ((539, Expect.NORMAL),),
            {"capacity_m3": 120.0},
        ),
        Case(
            "mains water that flows in and vanishes is a loss too",
            {"level": "50x540", "outlet": "500x540", "mains": "10..14.5x540", "rain": "0x540"},
            ((539, Expect.ACTIVE),),
            {"capacity_m3": 120.0},
        ),
        Case(
            "a leak shows in the dry hours after an overflow",
            {
                "level": "90x120 90..100x30 100x90 100..96x480",
                "outlet": "500x720",
                "inlet": "100x120 100..145x120 145x480",
                "overflow": "0x150 1x90 0x480",
                "rain": "0x120 20x120 0x480",
            },
            ((239, Expect.NORMAL), (719, Expect.ACTIVE)),
            {"capacity_m3": 120.0},
        ),
        Case(
            "the jump of a float that comes free hides no leak",
            {"level": "90x600 80..74x720", "outlet": "500x1320", "rain": "0x1320"},
            ((599, Expect.NORMAL), (1319, Expect.ACTIVE)),
            {"capacity_m3": 120.0},
        ),
        Case(
            "sealed: ends after the keep time",
            {"level": "80..76x480 76x480", "outlet": "500x960", "rain": "0x960"},
            ((479, Expect.ACTIVE), (700, Expect.ACTIVE), (959, Expect.NORMAL)),
            {"capacity_m3": 120.0},
        ),
    ),
    also=("tank_level_stuck",),
)


def _loss(frame: Frame, p: Parameters) -> Signal:
    """Unexplained loss, m3/h."""
    steps = frame.steps(p["window_h"] * HOUR_S)
    smooth = frame["level"].mean(frame.steps(600))
    rise = smooth - smooth.back(steps)
    loss = -(rise * (p["capacity_m3"] / 100.0)) - frame["outlet"].rise(steps)
    for name, sign in (("inlet", 1.0), ("mains", 1.0), ("irrigation", -1.0)):
        if frame.has(name):
            loss = loss + frame[name].rise(steps) * sign
    return loss * (1.0 / p["window_h"])


def _wet(frame: Frame, p: Parameters) -> Mask:
    """Rain or overflow within the balance's hour: not all that comes and goes is metered."""
    steps = frame.steps(p["window_h"] * HOUR_S)
    wet = frame.mask(np.zeros(len(frame), dtype=np.bool_))
    if frame.has("rain"):
        wet = wet | (frame["rain"].mean(2 * steps) > DRY_MM_PER_H)
    if frame.has("overflow"):
        wet = wet | (frame["overflow"].mean(steps) > 0.0)
    return wet


def _scatter(loss: Signal, wet: Mask, steps: int, day: int) -> Floats:
    """Standard deviation of a day's balances, m3/h, of its dry hours.

    Or what it would be by the size that four of five changes keep below, where that is less: the jump of a
    float that comes free must not hide a leak for the rest of the day.
    """
    dry = Signal(np.where(wet.true, np.nan, loss.values))
    # differences of hours that do not overlap: a constant loss leaves no trace in them
    changes = dry - dry.back(steps)
    deviation = changes.spread(day, covered=0.0).values / np.sqrt(2.0)
    before = np.concatenate([np.full(day - 1, np.nan), np.abs(changes.values)])
    rows = np.sort(np.lib.stride_tricks.sliding_window_view(before, day)[:, ::-EVERY], axis=1)  # NaN last
    known = (~np.isnan(rows)).sum(axis=1)
    place = np.maximum(np.ceil(SHARE * known).astype(np.int64) - 1, 0)
    size = np.take_along_axis(rows, place[:, None], axis=1)[:, 0]
    usual = size / (SIGMAS_OF_SHARE * np.sqrt(2.0))
    return np.where(known > 0, np.fmin(deviation, usual), 0.0)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Unexplained loss above the limit, in hours without rain and overflow."""
    loss, wet = _loss(frame, p), _wet(frame, p)
    scatter = _scatter(loss, wet, frame.steps(p["window_h"] * HOUR_S), frame.steps(DAY_S))
    limit = np.maximum(p["least_m3_per_h"], p["scatter_factor"] * scatter)
    condition = Signal(loss.values - limit).rounded() > 0.0
    still = Signal(loss.values - 0.9 * limit).rounded() > 0.0
    figures = {"unexplained_loss_m3_per_h": loss, "tank_level_%": frame["level"]}
    return Verdict(condition.where(~wet), still.where(~wet), figures)


def saving(frame: Frame, mask: Mask, p: Parameters) -> Waste:
    """The water lost; electricity hardly matters."""
    loss = _loss(frame, p)
    lost_m3 = float(np.nansum(np.maximum(loss.values[mask.true], 0.0))) * frame.step_s / HOUR_S
    return Waste(water_m3=lost_m3, basis="unexplained loss of the tank's mass balance")
