"""Fire, leaks of water, and systems that watch over people."""
