-- Who may do what, what went wrong, and what was done about it.

CREATE TABLE app_user (
    user_id        int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name           text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    display_name   text NOT NULL,
    role           text NOT NULL CHECK (role IN ('viewer', 'operator', 'technician', 'manager', 'admin')),
    password_hash  text NOT NULL,
    language       text NOT NULL DEFAULT 'zh-TW' CHECK (language IN ('zh-TW', 'en')),
    is_demo        bool NOT NULL DEFAULT false,
    disabled_at    timestamptz,
    failed_logins  int NOT NULL DEFAULT 0,
    locked_until   timestamptz,
    created_at     timestamptz NOT NULL
);

-- The cookie carries a random token; only its SHA-256 is kept.
CREATE TABLE session (
    token_sha256  bytea PRIMARY KEY,
    user_id       int NOT NULL REFERENCES app_user (user_id),
    created_at    timestamptz NOT NULL,
    seen_at       timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    address       text NOT NULL
);

-- Append-only and hash-chained: hash = sha256(previous hash || canonical row).
CREATE TABLE audit_log (
    audit_id  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at        timestamptz NOT NULL,
    actor     text NOT NULL,
    address   text NOT NULL,
    action    text NOT NULL,
    subject   text NOT NULL,
    before    jsonb,
    after     jsonb,
    hash      bytea NOT NULL
);
CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only();

-- One open alarm per rule and equipment (ISA-18.2 states; shelving and suppression stand beside the state).
CREATE TABLE alarm (
    alarm_id       bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    rule_id        text NOT NULL,
    equipment_id   text NOT NULL,
    priority       text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    state          text NOT NULL CHECK (state IN
                       ('unacknowledged', 'acknowledged', 'returned_unacknowledged', 'normal')),
    onset_at       timestamptz NOT NULL,
    raised_at      timestamptz NOT NULL,
    returned_at    timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    shelved_until  timestamptz,
    suppressed_by  text,
    evidence       jsonb NOT NULL DEFAULT '{}',
    suggestion     jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX alarm_one_open ON alarm (rule_id, equipment_id) WHERE state <> 'normal';
CREATE INDEX alarm_raised ON alarm (raised_at DESC);

CREATE TABLE alarm_event (
    event_id  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    alarm_id  bigint NOT NULL REFERENCES alarm (alarm_id),
    at        timestamptz NOT NULL,
    actor     text NOT NULL,
    event     text NOT NULL,
    comment   text NOT NULL DEFAULT ''
);
CREATE INDEX alarm_event_alarm ON alarm_event (alarm_id, event_id);

-- What each rule last knew of each equipment, so that holds survive a restart.
CREATE TABLE rule_state (
    rule_id       text NOT NULL,
    equipment_id  text NOT NULL,
    evaluated_to  timestamptz NOT NULL,
    condition     text NOT NULL CHECK (condition IN ('true', 'false', 'unknown', 'not_applicable')),
    since         timestamptz NOT NULL,
    memory        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (rule_id, equipment_id)
);

CREATE TABLE notification_outbox (
    outbox_id   bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL,
    channel     text NOT NULL,
    recipient   text NOT NULL,
    subject     text NOT NULL,
    body        text NOT NULL,
    alarm_id    bigint REFERENCES alarm (alarm_id),
    sent_at     timestamptz,
    attempts    int NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL,
    last_error  text
);
CREATE INDEX notification_outbox_due ON notification_outbox (next_try_at) WHERE sent_at IS NULL;

CREATE TABLE work_order (
    work_order_id  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    client_id      uuid UNIQUE,
    title          text NOT NULL,
    description    text NOT NULL DEFAULT '',
    equipment_id   text,
    alarm_id       bigint REFERENCES alarm (alarm_id),
    priority       text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    state          text NOT NULL CHECK (state IN
                       ('open', 'assigned', 'in_progress', 'waiting', 'done', 'verified', 'closed')),
    assignee       text,
    created_by     text NOT NULL,
    created_at     timestamptz NOT NULL,
    due_at         timestamptz,
    done_at        timestamptz,
    closed_at      timestamptz,
    resolution     text NOT NULL DEFAULT ''
);
CREATE INDEX work_order_state ON work_order (state, created_at DESC);
CREATE UNIQUE INDEX work_order_one_open_per_alarm ON work_order (alarm_id) WHERE state <> 'closed';

CREATE TABLE work_order_event (
    event_id       bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    work_order_id  bigint NOT NULL REFERENCES work_order (work_order_id),
    at             timestamptz NOT NULL,
    actor          text NOT NULL,
    event          text NOT NULL,
    comment        text NOT NULL DEFAULT ''
);
CREATE INDEX work_order_event_order ON work_order_event (work_order_id, event_id);
