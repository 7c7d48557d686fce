"""`energy-center user`: accounts from a terminal."""

import json
import os
import subprocess
import sys

PASSWORD = "winter melon tea"


def _user(dsn: str, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "energy_center", "user", *words],
        input=typed,
        env={**os.environ, "DATABASE_URL": dsn},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_person_is_added_listed_changed_and_disabled(database_dsn: str):
    added = _user(
        database_dsn, "add", "lin", "--role", "operator", "--display-name", "林小姐", typed=f"{PASSWORD}\n"
    )
    assert (added.returncode, added.stdout) == (0, "added lin as operator\n"), added.stderr
    assert _user(database_dsn, "role", "lin", "technician").returncode == 0
    assert _user(database_dsn, "password", "lin", typed="typhoon over Taichung\n").returncode == 0
    assert _user(database_dsn, "disable", "lin").returncode == 0
    (row,) = json.loads(_user(database_dsn, "list", "--format", "json").stdout)
    assert (row["name"], row["display_name"], row["role"], row["state"]) == (
        "lin",
        "林小姐",
        "technician",
        "disabled",
    )
    assert "disabled" in _user(database_dsn, "list").stdout


def test_mistakes_are_one_sentence_each(database_dsn: str):
    weak = _user(database_dsn, "add", "lin", typed="short\n")
    assert (weak.returncode, weak.stderr.count("\n")) == (2, 1)
    assert "at least 12 characters" in weak.stderr
    unknown = _user(database_dsn, "disable", "nobody")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    assert "no user nobody" in unknown.stderr
