"""What the building's words mean: quantities, points, readings, alarms, work orders. No clock, no I/O."""
