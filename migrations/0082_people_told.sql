-- Whom to tell of an alarm, when and in which order: contacts, teams, shifts, escalation; and what they were told.

-- `sealed`: the Apprise address, encrypted under the installation's secret; `shown`: what may be read of it.
-- Quiet hours are times of day at the site; they may run over midnight. Critical alarms pass.
CREATE TABLE contact (
    contact_id      int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    user_id         int NOT NULL REFERENCES app_user (user_id),
    label           text NOT NULL CHECK (label <> ''),
    sealed          bytea NOT NULL,
    shown           text NOT NULL,
    least_priority  text NOT NULL CHECK (least_priority IN ('critical', 'high', 'medium', 'low')),
    quiet_from      time,
    quiet_to        time,
    digest          text NOT NULL DEFAULT 'none' CHECK (digest IN ('none', 'daily', 'weekly')),
    digest_hour     int2 NOT NULL DEFAULT 8 CHECK (digest_hour BETWEEN 0 AND 23),
    digested_to     timestamptz,
    created_at      timestamptz NOT NULL,
    removed_at      timestamptz,
    CHECK ((quiet_from IS NULL) = (quiet_to IS NULL))
);
CREATE INDEX contact_user ON contact (user_id) WHERE removed_at IS NULL;

CREATE TABLE team (
    team_id     int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    created_at  timestamptz NOT NULL
);

CREATE TABLE team_member (
    team_id  int NOT NULL REFERENCES team (team_id) ON DELETE CASCADE,
    user_id  int NOT NULL REFERENCES app_user (user_id),
    PRIMARY KEY (team_id, user_id)
);

-- A turn on call by the wall clock of `zone`, repeated as RFC 5545 says (`repeats`, NULL: once).
CREATE TABLE on_call_shift (
    shift_id    int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    team_id     int NOT NULL REFERENCES team (team_id) ON DELETE CASCADE,
    user_id     int NOT NULL REFERENCES app_user (user_id),
    starts      timestamp NOT NULL,
    ends        timestamp NOT NULL,
    zone        text NOT NULL,
    repeats     text,
    CHECK (starts < ends)
);

-- Somebody stands in for somebody else, or for whoever is on call (`instead_of` NULL).
CREATE TABLE on_call_cover (
    cover_id    int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    team_id     int NOT NULL REFERENCES team (team_id) ON DELETE CASCADE,
    user_id     int NOT NULL REFERENCES app_user (user_id),
    instead_of  int REFERENCES app_user (user_id),
    start_at    timestamptz NOT NULL,
    end_at      timestamptz NOT NULL,
    CHECK (start_at < end_at)
);

-- Level by level: whom to tell when an alarm of this priority is not acknowledged `after_min` after it was told.
CREATE TABLE escalation_step (
    priority   text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    level      int2 NOT NULL CHECK (level >= 1),
    after_min  int NOT NULL CHECK (after_min >= 0),
    target     text NOT NULL CHECK (target IN ('on_call', 'team')),
    team_id    int NOT NULL REFERENCES team (team_id) ON DELETE CASCADE,
    PRIMARY KEY (priority, level)
);

-- One row for each time an alarm stood up: `episode` is the alarm's event that raised or reopened it.
CREATE TABLE alarm_notice (
    alarm_id      bigint NOT NULL REFERENCES alarm (alarm_id),
    episode       bigint NOT NULL,
    started_at    timestamptz NOT NULL,
    level         int2 NOT NULL DEFAULT 0,
    exhausted_at  timestamptz,
    ended_at      timestamptz,
    PRIMARY KEY (alarm_id, episode)
);
CREATE INDEX alarm_notice_open ON alarm_notice (alarm_id) WHERE ended_at IS NULL;

-- `closed_as`: it will never go out, and why.
ALTER TABLE notification_outbox
    ADD COLUMN kind text NOT NULL DEFAULT 'alarm'
        CHECK (kind IN ('alarm', 'returned', 'group', 'digest', 'test', 'gap')),
    ADD COLUMN contact_id int REFERENCES contact (contact_id),
    ADD COLUMN level int2,
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN closed_as text CHECK (closed_as IN ('not_needed', 'nobody', 'gave_up', 'contact_removed')),
    ADD CHECK ((closed_at IS NULL) = (closed_as IS NULL));
DROP INDEX notification_outbox_due;
CREATE INDEX notification_outbox_due ON notification_outbox (next_try_at)
    WHERE sent_at IS NULL AND closed_at IS NULL;
CREATE INDEX notification_outbox_contact ON notification_outbox (contact_id, at DESC)
    WHERE contact_id IS NOT NULL;

-- One message an alarm, state and contact: several alarms may share one message.
CREATE TABLE alarm_told (
    alarm_id    bigint NOT NULL,
    episode     bigint NOT NULL,
    state       text NOT NULL CHECK (state IN ('raised', 'returned')),
    contact_id  int NOT NULL REFERENCES contact (contact_id),
    outbox_id   bigint NOT NULL REFERENCES notification_outbox (outbox_id),
    PRIMARY KEY (alarm_id, episode, state, contact_id),
    FOREIGN KEY (alarm_id, episode) REFERENCES alarm_notice (alarm_id, episode)
);
CREATE INDEX alarm_told_outbox ON alarm_told (outbox_id);
