"""Every shipped profile, by being there: it loads, and decodes golden words to the number beside them."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.decode import decode_words
from collectors.drivers.snmp import value_of
from energy_center.config.bindings import ModbusSource, PointBinding, Protocol, SnmpSource
from energy_center.config.load_profile import PROFILES_DIR, Profiles
from energy_center.config.profile_model import ModbusPoint, ModbusProfile, Profile, SnmpPoint, SnmpProfile
from energy_center.domain.readings import Quality

FILES = sorted(PROFILES_DIR.glob("*/*.yaml"))


def _load(path: Path) -> tuple[Profile | None, list[str]]:
    profiles = Profiles(PROFILES_DIR)
    profile = profiles.get(Protocol(path.parent.name), path.stem)
    return profile, [str(m) for m in profiles.mistakes]


def _modbus_lines() -> Iterator[tuple[str, ModbusPoint]]:
    for path in FILES:
        profile, _ = _load(path)
        if isinstance(profile, ModbusProfile):
            for point in profile.points:
                yield f"{path.stem}:{point.point_name}", point


LINES = dict(_modbus_lines())
OBJECTS: dict[str, SnmpPoint] = {
    f"{path.stem}:{point.point_name}": point
    for path in FILES
    if isinstance(profile := _load(path)[0], SnmpProfile)
    for point in profile.points
}


def _binding(point: ModbusPoint) -> PointBinding:
    source = ModbusSource(
        1,
        point.table,
        point.address,
        point.type,
        point.words,
        point.bit,
        point.invalid,
        point.enum,
        point.four_quadrant,
        point.width,
    )
    return PointBinding(("x", point.point_name), point.role, "c", "d", 60.0, point.scaling, source)


def test_there_are_profiles_of_every_protocol() -> None:
    assert {path.parent.name for path in FILES} == {p.value for p in Protocol}


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_profile_loads_without_a_mistake(path: Path) -> None:
    profile, mistakes = _load(path)
    assert mistakes == []
    assert profile is not None


def test_there_are_profiles_of_many_makers_devices() -> None:
    """Each with its document; what one driver alone supports is said in its notes."""
    real = [p for p in FILES if p.parent.name == "modbus" and not p.stem.startswith("generic_")]
    assert len(real) >= 25
    for path in real:
        profile, _ = _load(path)
        assert profile is not None
        assert isinstance(profile.source, dict), path.stem
        assert len(str(profile.source["document"])) > 8, path.stem
        assert profile.notes, path.stem


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_profile_names_each_point_once(path: Path) -> None:
    profile, _ = _load(path)
    assert profile is not None
    names = [p.point_name for p in profile.points]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", LINES)
def test_modbus_line_has_golden_words_and_its_name_in_the_manual(name: str) -> None:
    assert LINES[name].golden
    assert len(LINES[name].manual) > 3


@pytest.mark.parametrize("name", LINES)
def test_golden_words_mean_the_number_beside_them(name: str) -> None:
    for golden in LINES[name].golden:
        number, quality = decode_words(_binding(LINES[name]), golden.raw, golden.scale_factor)
        if golden.value is None:
            assert Quality.SENSOR_FAULT in quality
        else:
            assert number == pytest.approx(golden.value, rel=1e-9)
            assert quality is Quality.GOOD


def test_no_two_lines_of_a_profile_share_a_register() -> None:
    for path in FILES:
        profile, _ = _load(path)
        if not isinstance(profile, ModbusProfile):
            continue
        taken: dict[tuple[str, int, int | None, tuple[int, ...]], str] = {}
        for point in profile.points:
            for address in range(point.address, point.address + point.type.registers):
                at = (point.table, address, point.bit, point.models)
                assert at not in taken, f"{path.stem}: {point.point_name} and {taken.get(at)} at {at}"
                taken[at] = point.point_name


@pytest.mark.parametrize("name", OBJECTS)
def test_golden_answer_of_an_agent_means_the_number_beside_it(name: str) -> None:
    point = OBJECTS[name]
    source = SnmpSource(point.oid, point.type, point.enum, point.invalid)
    binding = PointBinding(("x", point.point_name), point.role, "c", "d", 60.0, point.scaling, source)
    assert point.golden
    for golden in point.golden:
        number, quality = value_of(binding, golden.raw)
        if golden.value is None:
            assert math.isnan(number) or Quality.SENSOR_FAULT in quality
        else:
            assert number == pytest.approx(golden.value, rel=1e-9)
            assert quality is Quality.GOOD


def test_no_two_objects_of_a_profile_are_the_same() -> None:
    for path in FILES:
        profile, _ = _load(path)
        if isinstance(profile, SnmpProfile):
            oids = [point.oid for point in profile.points]
            assert sorted(oids) == sorted(set(oids)), path.stem
