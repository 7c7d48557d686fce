"""The only place with SQL: pool, migrations and one module a subject."""
