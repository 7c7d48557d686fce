"""What is wrong in the environment is said in one sentence that names the variable and no secret."""

import pytest

from energy_center.errors import EnvironmentProblem
from energy_center.settings import PROJECT_ROOT, Settings


@pytest.mark.parametrize(
    ("variable", "content", "says"),
    [
        ("ENERGY_CENTER_PORT", "abc", "ENERGY_CENTER_PORT"),
        ("ENERGY_CENTER_PORT", "65536", "ENERGY_CENTER_PORT"),
        ("ENERGY_CENTER_LOG_LEVEL", "LOUD", "ENERGY_CENTER_LOG_LEVEL"),
        ("ENERGY_CENTER_MODE", "test", "ENERGY_CENTER_MODE"),
        ("ENERGY_CENTER_RAW_RETENTION_DAYS", "0", "ENERGY_CENTER_RAW_RETENTION_DAYS"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL"),
        ("DATABASE_URL", "mysql://a:hidden@db/x", "DATABASE_URL"),
        ("DATABASE_URL", "postgresql://a:hid/den@db/x", "%2F"),
        ("DATABASE_URL", "postgresql://a:hid[den@db/x", "DATABASE_URL"),
        ("DATABASE_URL", "postgresql://a:hidden@db:port/x", "DATABASE_URL"),
    ],
)
def test_wrong_variable_is_named_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, variable: str, content: str, says: str
):
    monkeypatch.setenv(variable, content)
    with pytest.raises(EnvironmentProblem) as told:
        Settings()
    assert says in str(told.value)
    assert "hid" not in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://centre:s%2Fecret@db.example:5432/energy_center?sslmode=verify-full",
        "postgres://centre@[::1]:5432/energy_center",
        "postgresql://a:b@one:5432,two:5433/x",
        "postgresql://postgres@/energy_center?host=/run/postgresql",
    ],
)
def test_every_form_of_address_is_taken(monkeypatch: pytest.MonkeyPatch, url: str):
    monkeypatch.setenv("DATABASE_URL", url)
    given = Settings().database_url
    assert given is not None
    assert given.get_secret_value() == url


def test_every_variable_is_documented():
    pages = (PROJECT_ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    names = [
        "DATABASE_URL" if n == "database_url" else f"ENERGY_CENTER_{n.upper()}" for n in Settings.model_fields
    ]
    assert [name for name in names if f"`{name}`" not in pages] == []
