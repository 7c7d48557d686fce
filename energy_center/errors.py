"""Every error we raise, grouped by what the caller does about it.

EnergyCenterError
  RetryLater            the other side is away; try again after a pause
    DeviceAway            no answer from a device within its time limit
    DeviceBusy            the device answers that it cannot answer now
    DatabaseAway          the database cannot be reached
    NotDelivered          a message to people was not taken by its channel
  RetryOnce             repeat once, then count
    BadFrame              an answer that is not a valid frame or payload
  DoNotRepeat           the same request would fail again
    DeviceRefused         the device answered with an exception code or error class
    NotSupported          the device lacks this point
    NotSet                a document could not be set as PDF
  TellUser              a person must change something
    ConfigError           a file a person wrote is wrong; lists every mistake at once
    MigrationError        the database's schema and the program do not fit
    EnvironmentProblem    this machine lacks something: a port, a tool, disk space
    NotFound              no such thing
    NotAllowed            this user may not do that
      LogInRefused        the one answer to every failed log-in
      TooManyAttempts     too many attempts from one address
    Conflict              the thing is no longer in the state the request assumed
    Invalid               a request's field is wrong
"""


class EnergyCenterError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None, **facts: object) -> None:
        """Keep the facts as attributes: `message` defaults to the class docstring's first line."""
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.facts = facts
        super().__init__(self.message)

    def __str__(self) -> str:
        """Message followed by the facts, for logs."""
        if not self.facts:
            return self.message
        return f"{self.message} ({', '.join(f'{k}={v}' for k, v in self.facts.items())})"


class RetryLater(EnergyCenterError):
    """The other side is away; try again after a pause."""


class DeviceAway(RetryLater):
    """No answer from the device within its time limit."""


class DeviceBusy(RetryLater):
    """The device is busy."""


class DatabaseAway(RetryLater):
    """The database cannot be reached."""


class NotDelivered(RetryLater):
    """The message was not delivered."""


class RetryOnce(EnergyCenterError):
    """Repeat the request once."""


class BadFrame(RetryOnce):
    """The answer is not a valid frame or payload."""


class DoNotRepeat(EnergyCenterError):
    """The same request would fail again."""


class DeviceRefused(DoNotRepeat):
    """The device refused the request."""


class NotSupported(DoNotRepeat):
    """The device does not have this point."""


class NotSet(DoNotRepeat):
    """The document could not be set as PDF."""


class TellUser(EnergyCenterError):
    """A person must change something."""


class ConfigError(TellUser):
    """A file a person wrote is wrong.

    `mistakes` lists all of them, each a full sentence with file, line, what was found and what is allowed.
    """

    def __init__(self, mistakes: list[str]) -> None:
        """Join the mistakes into one message, one a line."""
        self.mistakes = mistakes
        super().__init__("\n".join(mistakes))


class MigrationError(TellUser):
    """The database's schema and the program do not fit."""


class EnvironmentProblem(TellUser):
    """This machine lacks something the program needs."""


class NotFound(TellUser):
    """No such thing."""


class NotAllowed(TellUser):
    """This user may not do that."""


class LogInRefused(NotAllowed):
    """The name or the password is wrong, or the account is locked for a while."""


class TooManyAttempts(NotAllowed):
    """Too many attempts; wait before the next one."""

    def __init__(self, wait_s: float) -> None:
        """`wait_s`: seconds until an attempt is accepted again."""
        self.wait_s = wait_s
        super().__init__(wait_s=round(wait_s))


class Conflict(TellUser):
    """The thing is no longer in the state the request assumed."""


class Invalid(TellUser):
    """A field of the request is wrong."""
