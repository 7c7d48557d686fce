-- Recurring duties: which ones a site has taken on, what was done for each due date, and the papers that prove it.

-- Files that people add; the bytes stay in the database, so that one backup holds everything.
CREATE TABLE attachment (
    attachment_id  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name           text NOT NULL,
    media_type     text NOT NULL,
    sha256         bytea NOT NULL,
    content        bytea NOT NULL,
    added_by       text NOT NULL,
    added_at       timestamptz NOT NULL
);

-- A duty of the catalogue taken on for one thing; due dates follow from recurrence and starts_on, none is stored.
CREATE TABLE duty_adoption (
    adoption_id  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    duty_id      text NOT NULL,
    subject_id   text NOT NULL,
    starts_on    date NOT NULL,
    recurrence   text NOT NULL,
    responsible  text NOT NULL DEFAULT '',
    version      int NOT NULL DEFAULT 1,
    adopted_by   text NOT NULL,
    adopted_at   timestamptz NOT NULL,
    retired_at   timestamptz
);
CREATE UNIQUE INDEX duty_adoption_once ON duty_adoption (duty_id, subject_id) WHERE retired_at IS NULL;

CREATE TABLE duty_deed (
    deed_id      bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    adoption_id  bigint NOT NULL REFERENCES duty_adoption (adoption_id),
    due_on       date NOT NULL,
    done_on      date NOT NULL,
    is_waived    bool NOT NULL DEFAULT false,
    done_by      text NOT NULL DEFAULT '',
    note         text NOT NULL DEFAULT '',
    recorded_by  text NOT NULL,
    recorded_at  timestamptz NOT NULL,
    undone_by    text,
    undone_at    timestamptz
);
CREATE UNIQUE INDEX duty_deed_once ON duty_deed (adoption_id, due_on) WHERE undone_at IS NULL;

-- A paper is a file, or the number under which it is kept elsewhere.
CREATE TABLE duty_evidence (
    deed_id        bigint NOT NULL REFERENCES duty_deed (deed_id),
    position       int2 NOT NULL,
    kind           text NOT NULL CHECK (kind IN
                       ('report', 'certificate', 'record', 'photo', 'policy', 'sign_in', 'receipt')),
    attachment_id  bigint REFERENCES attachment (attachment_id),
    reference      text NOT NULL DEFAULT '',
    PRIMARY KEY (deed_id, position),
    CHECK (attachment_id IS NOT NULL OR reference <> '')
);
