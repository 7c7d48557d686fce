"""What the README and the guides tell people to type exists."""

import argparse
import importlib
import re
from pathlib import Path

import pytest

from energy_center.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
PAGES = ["README.md", "CONTRIBUTING.md", "docs/operate.md"]


def _text(page: str) -> str:
    return (ROOT / page).read_text()


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_named_exists(page: str):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"(?:`|^|\n)make ([a-z]+)", _text(page)))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES)
def test_every_command_named_exists(page: str):
    named = set(re.findall(r"energy-center ([a-z][a-z-]*)", _text(page)))
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES)
def test_every_linked_file_exists(page: str):
    links = re.findall(r"\]\(([^)#:]+)\)", _text(page))
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_describes_its_arguments(name: str):
    module = importlib.import_module(f"energy_center.cli.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=name)
    module.add_arguments(parser)
    assert module.SUMMARY
    assert parser.format_help().startswith("usage: ")
