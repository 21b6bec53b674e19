"""Calls under way, as people watch them: of all processes, read from the store, told as they change."""
