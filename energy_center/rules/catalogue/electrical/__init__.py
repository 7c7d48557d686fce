"""Demand, power factor and the electrical installation."""
