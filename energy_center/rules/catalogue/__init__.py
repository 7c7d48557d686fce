"""One file a rule, found by its place."""
