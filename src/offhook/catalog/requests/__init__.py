"""Requests that are prepared: built from an operation, edited, checked, read from curl, saved."""
