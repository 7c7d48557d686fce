"""`energy-center user`: accounts, from the machine that the installation runs on.

Passwords come from a prompt or from standard input, never from the command line, where others could see them.
"""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from energy_center.cli import out
from energy_center.domain.people import Actor, UserRole
from energy_center.errors import Invalid
from energy_center.services import users
from energy_center.services.log_in import LANGUAGES
from energy_center.settings import Settings
from energy_center.store.installation import installed_database
from energy_center.store.pool import Database

SUMMARY = "administer accounts"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-command a deed."""
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    add = deeds.add_parser("add", help="add an account; asks for its password")
    add.add_argument("name")
    add.add_argument("--display-name", help="as shown on the pages; the name when left out")
    add.add_argument("--role", choices=[role.value for role in UserRole], default=UserRole.VIEWER.value)
    add.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0])
    listed = deeds.add_parser("list", help="list accounts")
    listed.add_argument("--format", choices=("json", "text"), default="text")
    for deed, purpose in (
        ("password", "give a new password; asks for it and ends the person's sessions"),
        ("disable", "disable an account and end its sessions"),
        ("enable", "enable a disabled account"),
    ):
        deeds.add_parser(deed, help=purpose).add_argument("name")
    role = deeds.add_parser("role", help="give another role")
    role.add_argument("name")
    role.add_argument("role", choices=[role.value for role in UserRole])


def run(args: argparse.Namespace) -> int:
    """Do it and say so."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    async with installed_database(Settings(), min_size=0, max_size=1) as database:
        await _DEEDS[args.deed](database, args)
    return 0


def _actor() -> Actor:
    return Actor("system:cli", f"local:{getpass.getuser()}")


def _new_password() -> str:
    """From standard input's first line, or typed twice at a terminal."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("new password: ")
    if getpass.getpass("once more: ") != password:
        raise Invalid("The two passwords differ.")
    return password


async def _add(database: Database, args: argparse.Namespace) -> None:
    user = await users.create_user(
        database,
        args.name,
        args.display_name or args.name,
        UserRole(args.role),
        await asyncio.to_thread(_new_password),
        _actor(),
        datetime.now(UTC),
        language=args.language,
    )
    out.line(f"added {user.name} as {user.role.value}")


async def _list(database: Database, args: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    rows = [
        {
            "name": account.user.name,
            "display_name": account.user.display_name,
            "role": account.user.role.value,
            "language": account.user.language,
            "is_demo": account.user.is_demo,
            "state": _state(account, now),
            "created_at": account.created_at.isoformat(),
        }
        for account in await users.list_users(database)
    ]
    if args.format == "json":
        out.as_json(rows)
    else:
        shown = ("name", "role", "language", "state", "display_name")
        out.table(shown, [[row[column] for column in shown] for row in rows])


def _state(account: users.Account, now: datetime) -> str:
    if account.disabled_at is not None:
        return "disabled"
    return "locked" if account.locked_until is not None and account.locked_until > now else "enabled"


async def _password(database: Database, args: argparse.Namespace) -> None:
    password = await asyncio.to_thread(_new_password)
    await users.set_password(database, args.name, password, _actor(), datetime.now(UTC))
    out.line(f"{args.name} has a new password; open sessions ended")


async def _disable(database: Database, args: argparse.Namespace) -> None:
    await users.change_user(database, args.name, _actor(), datetime.now(UTC), disabled=True)
    out.line(f"disabled {args.name}; open sessions ended")


async def _enable(database: Database, args: argparse.Namespace) -> None:
    await users.change_user(database, args.name, _actor(), datetime.now(UTC), disabled=False)
    out.line(f"enabled {args.name}")


async def _role(database: Database, args: argparse.Namespace) -> None:
    await users.change_user(database, args.name, _actor(), datetime.now(UTC), role=UserRole(args.role))
    out.line(f"{args.name} is {args.role} from the next request on")


_DEEDS: dict[str, Callable[[Database, argparse.Namespace], Awaitable[None]]] = {
    "add": _add,
    "list": _list,
    "password": _password,
    "disable": _disable,
    "enable": _enable,
    "role": _role,
}
