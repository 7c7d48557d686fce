-- What a counter consumed is made of the registers (first, last) wherever it is shown, in one way for all figures: a
-- roll-up made bucket by bucket cannot tell a register that dips at a bucket's edge from one that began anew.
ALTER TABLE reading_15min DROP COLUMN delta, DROP COLUMN within;
ALTER TABLE reading_hour DROP COLUMN delta;
ALTER TABLE reading_day DROP COLUMN delta;
