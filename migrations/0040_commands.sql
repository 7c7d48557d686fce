-- Requested writes to equipment, and what each point allows.

-- {"low", "high", "priority", "longest_s"} from the site file's `writable`; NULL: nothing may be written.
ALTER TABLE point ADD COLUMN writable jsonb;

-- One open command a point: a newer one supersedes it. `may_be_held`: the device may hold our value, so that
-- the end of the command includes handing the point back. `refusal`: why it was not done, to be ended as failed.
CREATE TABLE command (
    command_id    bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    client_id     uuid UNIQUE,
    point_id      int NOT NULL REFERENCES point (point_id),
    wanted        float8 NOT NULL,
    low           float8 NOT NULL,
    high          float8 NOT NULL,
    priority      int2 NOT NULL CHECK (priority BETWEEN 1 AND 16),
    reason        text NOT NULL DEFAULT '',
    state         text NOT NULL CHECK (state IN ('requested', 'writing', 'active', 'relinquished', 'cancelled',
                      'expired', 'failed', 'superseded')),
    requested_by  text NOT NULL,
    requested_at  timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    cancelled_by  text,
    cancelled_at  timestamptz,
    written_at    timestamptz,
    read_back     float8,
    read_back_at  timestamptz,
    ended_at      timestamptz,
    may_be_held   bool NOT NULL DEFAULT false,
    refusal       text,
    detail        text NOT NULL DEFAULT '',
    attempts      int NOT NULL DEFAULT 0,
    next_try_at   timestamptz NOT NULL,
    CHECK (wanted BETWEEN low AND high),
    CHECK (requested_at < expires_at)
);
CREATE UNIQUE INDEX command_one_open ON command (point_id) WHERE state IN ('requested', 'writing', 'active');
CREATE INDEX command_requested ON command (requested_at DESC);
