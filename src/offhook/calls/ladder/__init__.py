"""A call as a ladder: who was in it, and what went between them, moment by moment."""
