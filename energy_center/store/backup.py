"""Backup and restore of a running database with PostgreSQL's own tools.

A backup is `pg_dump`'s custom format, readable by any `pg_restore`, and beside it `<file>.rows.json` with the
number of rows of each table at the very instant of the dump, against which a restore is checked.
"""

import asyncio
import contextlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from energy_center.errors import Conflict, EnvironmentProblem
from energy_center.store.pool import Connection, Database, connect
from energy_center.store.postgres_files import tool


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written or restored: rows by table, and the file's size in bytes."""

    path: Path
    taken_at: datetime
    size_bytes: int
    rows: Mapping[str, int]


async def back_up(db: Database, path: Path, now: datetime) -> Backup:
    """Write a backup while everything goes on; the file appears only when it is whole.

    Raises:
        EnvironmentProblem: no fitting pg_dump, no space, no permission.
        Conflict: the file exists already.
    """
    if await asyncio.to_thread(path.exists):
        raise Conflict(f"{path} exists already; choose another name")
    part = path.with_name(f"{path.name}.part")
    async with (
        connect(db.dsn) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await _refuse_newer_server(connection)
        snapshot = str(await connection.fetchval("SELECT pg_export_snapshot()"))
        arguments = [
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--file={part}",
        ]
        try:
            await run_tool("pg_dump", arguments, db.dsn)
            rows = await _count_rows(connection)
            size = await asyncio.to_thread(_finish, part, path, now, rows)
        finally:
            part.unlink(missing_ok=True)
    return Backup(path, now, size, rows)


async def restore(db: Database, path: Path) -> Backup:
    """Restore a backup into an empty database and check the rows of every table against the count beside it.

    Raises:
        Conflict: the database is not empty, or what was restored differs from the count.
        EnvironmentProblem: the file cannot be read, or there is no fitting pg_restore.
    """
    taken_at, expected = await asyncio.to_thread(_read_counts, path)
    async with connect(db.dsn) as connection:
        tables = await _tables(connection)
        if tables:
            raise Conflict(
                f"The database is not empty ({len(tables)} tables, such as {tables[0]}): "
                "restore needs an empty one"
            )
    await _replay(path, db.dsn)
    async with connect(db.dsn) as connection:
        await connection.execute("ANALYZE", timeout=600)
        rows = await _count_rows(connection)
    different = sorted(t for t in rows.keys() | expected.keys() if rows.get(t) != expected.get(t))
    if different:
        said = ", ".join(f"{t}: {rows.get(t)} instead of {expected.get(t)}" for t in different[:5])
        raise Conflict(f"What was restored differs from the backup: {said}")
    size = (await asyncio.to_thread(path.stat)).st_size
    return Backup(path, taken_at, size, rows)


def _finish(part: Path, path: Path, now: datetime, rows: Mapping[str, int]) -> int:
    """Put both files in place, the counts first, and give the size of the backup."""
    counts = {"taken_at": now.isoformat(), "rows": dict(rows)}
    _counts_path(path).write_text(json.dumps(counts, indent=1) + "\n")
    part.chmod(0o600)  # it holds password hashes
    with part.open("rb") as whole:
        os.fsync(whole.fileno())
    part.rename(path)
    return path.stat().st_size


def _counts_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.rows.json")


def _read_counts(path: Path) -> tuple[datetime, dict[str, int]]:
    if not path.is_file():
        raise EnvironmentProblem(f"There is no backup at {path}")
    try:
        document = json.loads(_counts_path(path).read_text())
        return datetime.fromisoformat(document["taken_at"]), {
            str(t): int(n) for t, n in document["rows"].items()
        }
    except (OSError, ValueError, KeyError) as cause:
        raise EnvironmentProblem(
            f"{_counts_path(path)} is missing or damaged; it belongs to the backup"
        ) from cause


async def _tables(connection: Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
        "ORDER BY relname"
    )
    return [str(name) for (name,) in rows]


async def _count_rows(connection: Connection) -> dict[str, int]:
    """Rows of each table; a partitioned one counts its partitions."""
    counts = {}
    for name in await _tables(connection):
        quoted = '"' + name.replace('"', '""') + '"'
        counts[name] = int(await connection.fetchval(f"SELECT count(*) FROM {quoted}", timeout=600))  # noqa: S608
    return counts


async def _refuse_newer_server(connection: Connection) -> None:
    server = int(await connection.fetchval("SHOW server_version_num")) // 10_000
    said = await _output("pg_dump", ["--version"], {})
    found = re.search(r"(\d+)", said)
    if found is None or int(found.group(1)) < server:
        raise EnvironmentProblem(
            f"The server is PostgreSQL {server}, newer than this machine's pg_dump ({said.strip()}): "
            f"install the client programs of PostgreSQL {server}"
        )


async def _replay(path: Path, dsn: str) -> None:
    """Run a backup as one transaction: pg_restore's script through psql.

    Not pg_restore alone: its first lines set what servers older than itself do not know.
    """
    target, hidden = _address(dsn)
    writer = await _start("pg_restore", ["--no-owner", "--no-privileges", "--file=-", str(path)], {})
    reader = await _start(
        "psql",
        [
            "--no-psqlrc",
            "--quiet",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
            "--output=/dev/null",
            target,
        ],
        hidden,
    )
    try:
        async with asyncio.TaskGroup() as group:
            written = group.create_task(_problems(writer))
            read = group.create_task(_problems(reader))
            await _pump(writer, reader)
            if await writer.wait() != 0:
                _end(reader)  # the script is cut short: without this psql would commit what it has
            elif reader.stdin is not None:
                reader.stdin.close()
            await reader.wait()
    finally:
        for process in (writer, reader):
            _end(process)
            await process.wait()
    # psql's end breaks pg_restore's pipe, so a fault of psql is told first; a killed psql has none
    for name, process, problems in (
        ("psql", reader, read.result()),
        ("pg_restore", writer, written.result()),
    ):
        if process.returncode is not None and process.returncode > 0:
            raise EnvironmentProblem(_explain(name, problems))


def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _pump(writer: asyncio.subprocess.Process, reader: asyncio.subprocess.Process) -> None:
    if writer.stdout is None or reader.stdin is None:
        return
    is_head = True
    while chunk := await writer.stdout.read(1 << 18):
        if is_head:
            chunk, is_head = chunk.replace(b"SET transaction_timeout = 0;\n", b""), False
        try:
            reader.stdin.write(chunk)
            await reader.stdin.drain()
        except ConnectionError:
            _end(writer)  # psql has ended and says why
            break
    await writer.stdout.read()


async def _problems(process: asyncio.subprocess.Process) -> str:
    return "" if process.stderr is None else (await process.stderr.read()).decode(errors="replace")


async def run_tool(program: str, arguments: list[str], dsn: str) -> str:
    """Give what a client program says of a database."""
    target, hidden = _address(dsn)
    return await _output(program, [f"--dbname={target}", *arguments], hidden)


def _address(dsn: str) -> tuple[str, dict[str, str]]:
    """The DSN without its password, and the password as an environment variable, which `ps` does not show."""
    address = urlsplit(dsn)
    hidden = {"PGPASSWORD": unquote(address.password)} if address.password else {}
    place = address.netloc.rsplit("@", maxsplit=1)[-1]
    user = f"{address.username}@" if address.username else ""
    return urlunsplit(address._replace(netloc=user + place)), hidden


async def _start(program: str, arguments: list[str], extra: Mapping[str, str]) -> asyncio.subprocess.Process:
    path = await asyncio.to_thread(tool, program)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG") or k == "PGSSLROOTCERT"}
    return await asyncio.create_subprocess_exec(
        str(path),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**environment, **extra, "LC_ALL": "C"},
    )


async def _output(program: str, arguments: list[str], extra: Mapping[str, str]) -> str:
    process = await _start(program, arguments, extra)
    try:
        out, problems = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if process.returncode != 0:
        raise EnvironmentProblem(_explain(program, problems.decode(errors="replace")))
    return out.decode(errors="replace")


def _explain(program: str, problems: str) -> str:
    if "No space left on device" in problems:
        return f"{program}: the disk is full"
    lines = [line for line in problems.splitlines() if line.strip()] or ["no message"]
    said = next((line for line in lines if "error" in line.lower()), lines[-1])
    return said if said.startswith(program) else f"{program}: {said}"
