"""Telephones that sign in by SIP: their usernames and passwords, and where they are reached now."""
