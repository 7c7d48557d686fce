-- Parameters of rules that people adopted after comparing them, and the comparisons themselves.

-- `rule_key` as in the site file: a rule, or `rule@equipment`. The newest one of a key that was not undone is in force
-- and goes before the site file.
CREATE TABLE rule_adoption (
    adoption_id  int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    rule_key     text NOT NULL,
    parameters   jsonb NOT NULL,
    reason       text NOT NULL CHECK (reason <> ''),
    adopted_by   text NOT NULL,
    adopted_at   timestamptz NOT NULL,
    undone_by    text,
    undone_at    timestamptz,
    CHECK ((undone_by IS NULL) = (undone_at IS NULL))
);
CREATE INDEX rule_adoption_key ON rule_adoption (rule_key, adoption_id DESC);

-- Two parameter sets of a rule over the same past; done by the worker, one after the other.
CREATE TABLE rule_comparison (
    comparison_id  int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    rule_key       text NOT NULL,
    since          timestamptz NOT NULL,
    until          timestamptz NOT NULL,
    first_set      jsonb NOT NULL,
    second_set     jsonb NOT NULL,
    state          text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    share_done     float8 NOT NULL DEFAULT 0 CHECK (share_done BETWEEN 0 AND 1),
    result         jsonb,
    problem        text,
    asked_by       text NOT NULL,
    asked_at       timestamptz NOT NULL,
    CHECK (since < until)
);
CREATE INDEX rule_comparison_key ON rule_comparison (rule_key, comparison_id DESC);
CREATE INDEX rule_comparison_open ON rule_comparison (comparison_id) WHERE state IN ('waiting', 'running');

-- Whether an alarm was right, as a person found: the truth that comparisons are scored against.
CREATE TABLE alarm_verdict (
    alarm_id   bigint PRIMARY KEY REFERENCES alarm (alarm_id),
    was_right  bool NOT NULL,
    said_by    text NOT NULL,
    said_at    timestamptz NOT NULL
);
