"""The session cookie: the token and a signature under the installation's secret.

The token alone is enough to be unguessable; the signature keeps made-up cookies from costing a database
query, and lets a change of the secret end every session at once.
"""

import hashlib
import hmac

from starlette.responses import Response

from energy_center.services.log_in import ABSOLUTE_LIMIT
from energy_center.settings import Settings

SESSION_COOKIE = "ec_session"
LANGUAGE_COOKIE = "ec_language"
_YEAR_S = 365 * 24 * 3600


def _signature(token: str, settings: Settings) -> str:
    key = settings.key().get_secret_value()
    return hmac.new(key.encode(), token.encode(), hashlib.sha256).hexdigest()[:32]


def seal(token: str, settings: Settings) -> str:
    """The cookie's value for a token."""
    return f"{token}.{_signature(token, settings)}"


def unseal(value: str, settings: Settings) -> str | None:
    """The token of a cookie that we made, else None."""
    token, _, signature = value.rpartition(".")
    if not token or not value.isascii():
        return None
    return token if hmac.compare_digest(signature, _signature(token, settings)) else None


def over_tls(settings: Settings) -> bool:
    """Whether browsers reach us by HTTPS: our own certificate, or that of the proxy in front."""
    return settings.tls_certificate is not None or settings.behind_proxy


def set_session_cookie(response: Response, token: str, settings: Settings) -> None:
    """Give the browser its session; scripts cannot read it, other sites cannot send it with a POST."""
    response.set_cookie(
        SESSION_COOKIE,
        seal(token, settings),
        max_age=int(ABSOLUTE_LIMIT.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=over_tls(settings),
    )


def clear_session_cookie(response: Response, settings: Settings) -> None:
    """Take the session back."""
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax", secure=over_tls(settings))


def set_language_cookie(response: Response, language: str, settings: Settings) -> None:
    """Remember the language for the log-in page, where we do not know the person yet."""
    response.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_YEAR_S, path="/", samesite="lax", secure=over_tls(settings)
    )
