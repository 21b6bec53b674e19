"""`make demo`: a newcomer's first minute."""
