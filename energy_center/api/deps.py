"""What routes ask for, by name, so that a signature reads as a sentence."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from energy_center.api.auth import current_session, signed_in_actor, signed_in_user
from energy_center.api.rate_limit import AttemptLimit
from energy_center.domain.people import Actor, Permission, User
from energy_center.errors import NotAllowed
from energy_center.services.log_in import Session
from energy_center.settings import Settings
from energy_center.store.pool import Database


class WhoMay:
    """The person who asks, if their role grants the permission; the API's description is made from it too."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self) -> User:
        """Raises NotAllowed for everyone else."""
        user = signed_in_user()
        if not user.may(self.permission):
            raise NotAllowed(f"The role {user.role.value} may not: {self.permission.value}.")
        return user


Viewer = Annotated[User, Depends(WhoMay(Permission.VIEW))]
AlarmOperator = Annotated[User, Depends(WhoMay(Permission.ACKNOWLEDGE_ALARM))]
OrderCreator = Annotated[User, Depends(WhoMay(Permission.CREATE_WORK_ORDER))]
OrderWorker = Annotated[User, Depends(WhoMay(Permission.WORK_ON_ORDER))]
EquipmentCommander = Annotated[User, Depends(WhoMay(Permission.COMMAND_EQUIPMENT))]
ReadingCorrector = Annotated[User, Depends(WhoMay(Permission.CORRECT_READINGS))]
MeasureManager = Annotated[User, Depends(WhoMay(Permission.MANAGE_MEASURES))]
RosterPlanner = Annotated[User, Depends(WhoMay(Permission.MANAGE_ON_CALL))]
DutyKeeper = Annotated[User, Depends(WhoMay(Permission.KEEP_DUTIES))]
DutyManager = Annotated[User, Depends(WhoMay(Permission.MANAGE_DUTIES))]
RuleTuner = Annotated[User, Depends(WhoMay(Permission.TUNE_RULES))]
Administrator = Annotated[User, Depends(WhoMay(Permission.ADMINISTER))]


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _log_in_attempts(request: Request) -> AttemptLimit:
    limit: AttemptLimit = request.app.state.log_in_attempts
    return limit


async def _session() -> Session:
    session = current_session.get()
    if session is None:
        raise NotAllowed("Nobody is logged in.")
    return session


async def _doer() -> Actor:
    return signed_in_actor()


async def _now() -> datetime:
    return datetime.now(UTC)


Data = Annotated[Database, Depends(_database)]
Installation = Annotated[Settings, Depends(_settings)]
LogInAttempts = Annotated[AttemptLimit, Depends(_log_in_attempts)]
ThisSession = Annotated[Session, Depends(_session)]
Doer = Annotated[Actor, Depends(_doer)]
Now = Annotated[datetime, Depends(_now)]
