"""One file a measure: `MEASURE` with its words and numbers, and `find`, which reads them out of the past."""
