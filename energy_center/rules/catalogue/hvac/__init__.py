"""Air handlers, terminal units and the chilled-water plant."""
