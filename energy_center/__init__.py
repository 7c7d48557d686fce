"""Energy Center: the smart energy management centre for public buildings."""
