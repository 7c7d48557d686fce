-- The utility's own bills as people entered them: each entry stands, a later one of the same month takes its place.

CREATE TABLE utility_bill (
    utility_bill_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    building_id     text NOT NULL CHECK (building_id <> ''),
    month           date NOT NULL CHECK (month = date_trunc('month', month::timestamp)::date),
    figures         jsonb NOT NULL CHECK (jsonb_typeof(figures) = 'object'), -- name -> number as text, so exact
    origin          text NOT NULL CHECK (origin IN ('form', 'csv', 'pdf')),
    made_by         text NOT NULL,
    made_at         timestamptz NOT NULL,
    undone_by       text,
    undone_at       timestamptz,
    CHECK ((undone_by IS NULL) = (undone_at IS NULL))
);
CREATE INDEX utility_bill_month ON utility_bill (building_id, month, utility_bill_id);
