"""FastAPI under /api/v1."""
