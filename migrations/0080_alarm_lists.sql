-- What hides an alarm from the list and why, alarms found late, and equipment that is out of service.

ALTER TABLE alarm
    ADD COLUMN suppression   text CHECK (suppression IN ('design', 'flood', 'out_of_service')),
    ADD COLUMN chattering    bool NOT NULL DEFAULT false,
    ADD COLUMN latched_at    timestamptz,
    ADD COLUMN found_late_at timestamptz,
    ADD COLUMN withdrawn_at  timestamptz;
UPDATE alarm SET suppression = 'flood' WHERE suppressed_by IS NOT NULL;

-- The first true sample of a stretch, on its `raised` or `reopened` line.
ALTER TABLE alarm_event ADD COLUMN onset_at timestamptz;
CREATE INDEX alarm_event_at ON alarm_event (at);

-- Equipment that people have taken out of service: its alarms are recorded, not listed and not told.
CREATE TABLE out_of_service (
    out_id        bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    equipment_id  text NOT NULL,
    reason        text NOT NULL CHECK (reason <> ''),
    taken_by      text NOT NULL,
    since         timestamptz NOT NULL,
    until         timestamptz NOT NULL CHECK (until > since),
    ended_at      timestamptz,
    ended_by      text
);
CREATE UNIQUE INDEX out_of_service_one ON out_of_service (equipment_id) WHERE ended_at IS NULL;

-- What a rule knew at some earlier steps, so that late readings can be judged from there on.
CREATE TABLE rule_checkpoint (
    rule_id       text NOT NULL,
    equipment_id  text NOT NULL,
    at            timestamptz NOT NULL,
    memory        jsonb NOT NULL,
    PRIMARY KEY (rule_id, equipment_id, at)
);

-- Readings that came when the rules had judged their time already; taken away once they are judged again.
CREATE TABLE late_arrival (
    late_id   bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    point_id  int NOT NULL,
    from_at   timestamptz NOT NULL,
    to_at     timestamptz NOT NULL
);
