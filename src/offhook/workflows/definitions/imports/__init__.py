"""Definitions of other workflow systems, compiled to Conductor's form with a report of what became of each part."""
