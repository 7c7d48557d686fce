"""Simulated devices of the demo buildings on real sockets. Imports none of our other packages."""
