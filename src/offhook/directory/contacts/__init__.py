"""Contacts: people outside, shared by the company or of one user."""
