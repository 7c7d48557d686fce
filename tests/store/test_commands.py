"""`migrate`, `backup` and `restore` without DATABASE_URL find or start the installation's own server."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from energy_center.cli import main
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.migrate import shipped

NAMES = [m.name for m in shipped()]


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ec-commands-"))
    folder.chmod(0o755)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("ENERGY_CENTER_STATE_DIR", str(folder))
    yield folder
    assert EmbeddedPostgres(folder).pid is None, "a command left its server running"
    shutil.rmtree(folder)


def said_json(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capsys.readouterr().out)


async def _start_once(state: Path) -> None:
    """An installation whose database has no tables yet."""
    async with EmbeddedPostgres(state):
        pass


def test_check_says_what_is_missing_until_it_is_applied(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_start_once(state))
    assert main(["migrate", "--check", "--format", "json"]) == 1
    assert said_json(capsys) == {"pending": NAMES}
    assert main(["migrate", "--format", "json"]) == 0
    assert said_json(capsys) == {"applied": NAMES}
    assert main(["migrate", "--check"]) == 0
    assert capsys.readouterr().out == "The database is up to date.\n"


def test_check_never_makes_a_database(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENERGY_CENTER_STATE_DIR", str(state / "none"))
    assert main(["migrate", "--check"]) == 2
    assert "There is no database to check" in capsys.readouterr().err
    assert not (state / "none").exists()


def test_a_backup_goes_into_an_empty_installation_only(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["migrate"])
    file = state / "a.dump"
    assert main(["backup", str(file)]) == 0
    assert main(["restore", str(file)]) == 2
    assert "not empty" in capsys.readouterr().err
    monkeypatch.setenv("ENERGY_CENTER_STATE_DIR", str(state / "second"))
    assert main(["restore", str(file), "--format", "json"]) == 0
    assert said_json(capsys)["rows"] == len(NAMES) + 1  # the ledger, and the one row of retention_state
    assert main(["migrate", "--check"]) == 0


def test_a_command_leaves_a_server_alone_that_another_program_uses(state: Path) -> None:
    async def work() -> None:
        async with EmbeddedPostgres(state):
            assert await asyncio.to_thread(main, ["migrate"]) == 0
            assert EmbeddedPostgres(state).pid is not None

    asyncio.run(work())


def test_a_server_that_is_away_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert main(["migrate"]) == 2
    assert "energy-center migrate: The database cannot be reached" in capsys.readouterr().err
