"""A proxy before every simulated device that breaks conversations on purpose and counts what gets through."""
