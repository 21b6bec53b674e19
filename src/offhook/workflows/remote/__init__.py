"""Workflows run by a Conductor server elsewhere, which the installation names by its URL."""
