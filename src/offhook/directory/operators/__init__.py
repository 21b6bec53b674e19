"""Operators: the users and rooms that a group's line rings, in the order of joining."""
