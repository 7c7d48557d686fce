"""Pure numerics over readings: counters, demand, balance."""
