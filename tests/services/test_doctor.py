"""`energy-center doctor` names what is wrong and what to do about it."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from energy_center.config.load_site import load_site
from energy_center.settings import PROJECT_ROOT
from energy_center.store.pool import Database
from energy_center.store.site import apply_site
from tests.conftest import with_database

DEMO_SITE = PROJECT_ROOT / "energy_center" / "config" / "demo" / "taichung.yaml"


def _doctor(tmp_path: Path, **environment: str) -> tuple[int, dict[str, dict[str, object]]]:
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith("ENERGY_CENTER_") and k != "DATABASE_URL"
    }
    done = subprocess.run(
        [sys.executable, "-m", "energy_center", "doctor", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={**clean, "ENERGY_CENTER_STATE_DIR": str(tmp_path), **environment},
    )
    assert done.stderr == ""
    return done.returncode, {f["name"]: f for f in json.loads(done.stdout)}


def test_without_a_database_it_says_which_setting_is_missing(tmp_path: Path):
    code, found = _doctor(tmp_path)
    assert code == 1
    assert not found["database"]["ok"]
    assert "DATABASE_URL" in str(found["database"]["advice"])
    assert not found["secret"]["ok"]


def test_a_wrong_site_file_is_named_with_its_line(tmp_path: Path):
    wrong = tmp_path / "site.yaml"
    wrong.write_text("site: {id: x, nam: y}\n")
    _, found = _doctor(tmp_path, ENERGY_CENTER_SITE_FILE=str(wrong))
    assert not found["site file"]["ok"]
    assert "site.yaml:1" in str(found["site file"]["found"])


async def test_a_migrated_database_without_readings_lacks_collection(
    tmp_path: Path, database: Database, database_dsn: str
):
    code, found = _doctor(tmp_path, DATABASE_URL=database_dsn)
    assert (code, found["schema"]["ok"], found["site"]["ok"]) == (1, True, False)
    assert str(found["server"]["found"]).startswith("PostgreSQL ")
    assert found["stray readings"]["ok"]
    await apply_site(database, load_site(DEMO_SITE).site, DEMO_SITE.read_text(), "test", datetime.now(UTC))
    code, found = _doctor(tmp_path, DATABASE_URL=database_dsn)
    assert (code, found["audit log"]["ok"], found["collection"]["ok"]) == (1, True, False)
    assert "0 of 133 answer" in str(found["devices"]["found"])


async def test_a_changed_audit_row_is_found(tmp_path: Path, database: Database, database_dsn: str):
    await apply_site(database, load_site(DEMO_SITE).site, DEMO_SITE.read_text(), "test", datetime.now(UTC))
    async with database.transaction() as connection:
        await connection.execute("ALTER TABLE audit_log DISABLE TRIGGER ALL")
        await connection.execute("UPDATE audit_log SET actor = 'nobody'")
    _, found = _doctor(tmp_path, DATABASE_URL=database_dsn)
    assert not found["audit log"]["ok"]


async def test_a_short_secret_and_a_missing_account_are_said(
    tmp_path: Path, database: Database, database_dsn: str
):
    _, found = _doctor(tmp_path, DATABASE_URL=database_dsn, ENERGY_CENTER_SECRET="short")
    assert not found["secret"]["ok"]
    assert not found["accounts"]["ok"]


async def test_a_database_that_does_not_exist_is_said(tmp_path: Path, database_dsn: str):
    code, found = _doctor(tmp_path, DATABASE_URL=with_database(database_dsn, "nowhere"))
    assert code == 1
    assert "does not exist" in str(found["database"]["found"])


def test_looking_makes_no_database(tmp_path: Path):
    _doctor(tmp_path)
    assert list(tmp_path.iterdir()) == []
