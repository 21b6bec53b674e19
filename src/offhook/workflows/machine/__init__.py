"""The interpreter: what a run does next, as a pure function of its definition and of what has happened."""
