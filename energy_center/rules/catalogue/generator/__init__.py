"""Emergency generators."""
