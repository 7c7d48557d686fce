-- Savings measures: from a suggestion to a verified saving, with the adjustments and every verification.

-- `suggestion_id` names the suggestion that it came from; `done_from`..`done_to` the days of the work itself,
-- which are in neither period. `expected_kwh_per_year` is what was promised.
CREATE TABLE measure (
    measure_id             bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name                   text NOT NULL CHECK (name <> ''),
    description            text NOT NULL DEFAULT '',
    meter                  text NOT NULL CHECK (meter <> ''),
    equipment_id           text REFERENCES equipment (equipment_id),
    suggestion_id          bigint,
    work_order_id          bigint REFERENCES work_order (work_order_id),
    cost_ntd               float8 CHECK (cost_ntd >= 0),
    expected_kwh_per_year  float8,
    state                  text NOT NULL
        CHECK (state IN ('suggested', 'accepted', 'done', 'verifying', 'verified', 'dropped')),
    done_from              date,
    done_to                date,
    baseline_from          date,
    baseline_to            date,
    version                int NOT NULL DEFAULT 1,
    created_by             text NOT NULL,
    created_at             timestamptz NOT NULL,
    CHECK ((done_from IS NULL) = (done_to IS NULL) AND done_from <= done_to),
    CHECK ((done_from IS NULL) = (baseline_from IS NULL) AND (done_from IS NULL) = (baseline_to IS NULL)),
    CHECK (baseline_from <= baseline_to AND baseline_to < done_from),
    CHECK (done_from IS NOT NULL OR state IN ('suggested', 'accepted', 'dropped'))
);
CREATE UNIQUE INDEX measure_suggestion ON measure (suggestion_id) WHERE state <> 'dropped';

-- A change that is not the measure's: kWh a day more (less, if negative) than the baseline would know.
CREATE TABLE measure_adjustment (
    adjustment_id  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    measure_id     bigint NOT NULL REFERENCES measure (measure_id),
    first_on       date NOT NULL,
    last_on        date NOT NULL CHECK (last_on >= first_on),
    kwh_per_day    float8 NOT NULL,
    reason         text NOT NULL CHECK (reason <> ''),
    made_by        text NOT NULL,
    made_at        timestamptz NOT NULL,
    withdrawn_by   text,
    withdrawn_at   timestamptz,
    CHECK ((withdrawn_by IS NULL) = (withdrawn_at IS NULL))
);
CREATE INDEX measure_adjustment_measure ON measure_adjustment (measure_id);

-- What was found, with all that it takes to find it again: spans, method, hash of the data, figures, every day.
CREATE TABLE measure_verification (
    verification_id  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    measure_id       bigint NOT NULL REFERENCES measure (measure_id),
    made_at          timestamptz NOT NULL,
    verdict          text NOT NULL CHECK (verdict IN ('saved', 'not_saved', 'cannot_tell')),
    baseline_from    date NOT NULL,
    baseline_to      date NOT NULL,
    reporting_from   date NOT NULL,
    reporting_to     date NOT NULL,
    data_hash        text NOT NULL,
    findings         jsonb NOT NULL
);
CREATE INDEX measure_verification_measure ON measure_verification (measure_id, verification_id DESC);
