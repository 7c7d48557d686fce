"""Whether a measure saved energy: a baseline from before, what it expects after, and how sure that is.

Pure numerics. `verify.verify(...)` is the way in.
"""
