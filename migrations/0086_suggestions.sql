-- Savings that a building's past shows, and what people decided about them.
CREATE TABLE suggestion (
    suggestion_id   bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    building_id     text NOT NULL,
    measure_id      text NOT NULL,
    subject_id      text NOT NULL,
    state           text NOT NULL CHECK (state IN ('proposed', 'accepted', 'declined', 'expired')),
    first_at        timestamptz NOT NULL,
    computed_at     timestamptz NOT NULL,
    energy_kwh      float8 NOT NULL,
    money_ntd       float8,
    carbon_kg       float8 NOT NULL,
    water_m3        float8,
    cost_ntd        float8,
    payback_years   float8,
    counted_kwh     float8 NOT NULL,
    confidence      text NOT NULL CHECK (confidence IN ('low', 'medium', 'high')),
    coverage        float8 NOT NULL CHECK (coverage BETWEEN 0 AND 1),
    alarm_id        bigint REFERENCES alarm,
    evidence        jsonb NOT NULL,
    decided_at      timestamptz,
    decided_by      text,
    reason          text NOT NULL DEFAULT '',
    declined_until  timestamptz,
    UNIQUE (building_id, measure_id, subject_id)
);
CREATE INDEX suggestion_alarm ON suggestion (alarm_id) WHERE alarm_id IS NOT NULL;

-- The newest reckoning of a building: all suggestions together, and why other measures have no answer.
CREATE TABLE suggestion_run (
    building_id  text PRIMARY KEY,
    computed_at  timestamptz NOT NULL,
    coverage     float8 NOT NULL,
    together     jsonb NOT NULL,
    not_known    jsonb NOT NULL
);
