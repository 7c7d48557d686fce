"""Passwords: hashed by Argon2id in threads of their own, and refused when easily guessed."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from energy_center.errors import Invalid

MIN_LENGTH = 12
MAX_LENGTH = 200  # bounds the work of one request
_MIN_DISTINCT = 5
_GUESSED_FIRST = frozenset(
    {
        "123456789012",
        "1234567890ab",
        "abcdefghijkl",
        "administrator",
        "adminadmin12",
        "changeme1234",
        "correcthorse",
        "energycenter",
        "energy-center",
        "iloveyou1234",
        "letmein12345",
        "passw0rd1234",
        "password1234",
        "password12345",
        "password123456",
        "qwertyuiop12",
        "qwerty123456",
        "taichung1234",
        "welcome12345",
    }
)

# RFC 9106 section 4, second recommended option: 64 MiB, 3 passes, 4 lanes.
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
# Two at a time bound the memory that a burst of log-ins can take to 128 MiB.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("no account has this password")


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash or _nobodys_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


async def hash_password(password: str) -> str:
    """Argon2id hash with its parameters and salt, in the PHC string form."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, password)


async def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is right; without a hash to compare with, the same work and the answer no."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _verify, password_hash, password)


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def refuse_weak(password: str, name: str) -> None:
    """Raise Invalid with the reason when a password is too easy to guess, or too long to hash.

    NIST SP 800-63B section 3.1.1.2: length counts, composition rules do not; common ones are refused.
    """
    if len(password) < MIN_LENGTH:
        raise Invalid(f"A password needs at least {MIN_LENGTH} characters.")
    if len(password) > MAX_LENGTH:
        raise Invalid(f"A password has at most {MAX_LENGTH} characters.")
    if len(set(password)) < _MIN_DISTINCT:
        raise Invalid(f"A password needs at least {_MIN_DISTINCT} different characters.")
    if name.lower() in password.lower() and len(name) > 2:  # noqa: PLR2004 short names occur by chance
        raise Invalid("A password must not contain the account's name.")
    if password.lower() in _GUESSED_FIRST:
        raise Invalid("This password is among the first that are guessed.")
