"""Who a person is to the system, and what each role may do."""

from dataclasses import dataclass
from enum import StrEnum


class UserRole(StrEnum):
    """Roles in rising order of trust; technicians act on work orders, operators on alarms."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    TECHNICIAN = "technician"
    MANAGER = "manager"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a route or page demands."""

    VIEW = "view"
    ACKNOWLEDGE_ALARM = "acknowledge_alarm"
    CREATE_WORK_ORDER = "create_work_order"
    WORK_ON_ORDER = "work_on_order"
    VERIFY_WORK_ORDER = "verify_work_order"
    CORRECT_READINGS = "correct_readings"
    MANAGE_MEASURES = "manage_measures"
    COMMAND_EQUIPMENT = "command_equipment"
    MANAGE_ON_CALL = "manage_on_call"
    KEEP_DUTIES = "keep_duties"
    MANAGE_DUTIES = "manage_duties"
    TUNE_RULES = "tune_rules"
    ADMINISTER = "administer"


_VIEWER = frozenset({Permission.VIEW})
_OPERATOR = _VIEWER | {Permission.ACKNOWLEDGE_ALARM, Permission.CREATE_WORK_ORDER}
_TECHNICIAN = _OPERATOR | {Permission.WORK_ON_ORDER, Permission.KEEP_DUTIES}
_MANAGER = _TECHNICIAN | {
    Permission.VERIFY_WORK_ORDER,
    Permission.CORRECT_READINGS,
    Permission.MANAGE_MEASURES,
    Permission.COMMAND_EQUIPMENT,
    Permission.MANAGE_ON_CALL,
    Permission.MANAGE_DUTIES,
    Permission.TUNE_RULES,
}
_GRANTS: dict[UserRole, frozenset[Permission]] = {
    UserRole.VIEWER: _VIEWER,
    UserRole.OPERATOR: _OPERATOR,
    UserRole.TECHNICIAN: _TECHNICIAN,
    UserRole.MANAGER: _MANAGER,
    UserRole.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account; `language` is `zh-TW` or `en`."""

    user_id: int
    name: str
    display_name: str
    role: UserRole
    language: str
    is_demo: bool = False

    def may(self, permission: Permission) -> bool:
        """Whether this person's role grants the permission."""
        return permission in _GRANTS[self.role]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something and from where, as the audit log keeps it; programs act as `system:<name>`."""

    name: str
    address: str
