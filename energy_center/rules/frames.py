"""Builds a binding's frame from the samples of its points."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from energy_center.domain.readings import PointId
from energy_center.rules.bind import Binding
from energy_center.rules.window import Frame, Micros, Samples, Signal, align

PointSamples = Mapping[PointId, Samples]
DeviceSamples = Mapping[str, Samples]


def build_frame(
    binding: Binding, points: PointSamples, devices: DeviceSamples, times: Micros, zone: ZoneInfo
) -> Frame:
    """Align every input; a point without samples is wholly unknown, an input without points is absent."""
    series: dict[str, tuple[Signal, ...]] = {}
    for name, bound in binding.points.items():
        aligned = (_aligned(points.get(point.point_id), times) for point in bound)
        series[name] = tuple(aligned)
    for name, device_ids in binding.devices.items():
        series[name] = tuple(_aligned(devices.get(device_id), times) for device_id in device_ids)
    return Frame(times, binding.timing.step_s, series, zone)


def _aligned(samples: Samples | None, times: Micros) -> Signal:
    return Signal(align(samples if samples is not None else Samples.none(), times))
