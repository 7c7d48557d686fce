"""Use cases: the one place where reading, deciding and writing meet."""
