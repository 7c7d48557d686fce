-- Which closed weeks of `reading` had their index built anew: pages half empty from arrival in any order become full.
CREATE TABLE partition_care (
    partition     text PRIMARY KEY,
    reindexed_at  timestamptz NOT NULL
);
