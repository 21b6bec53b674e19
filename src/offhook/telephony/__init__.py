"""Carries out the verbs of calls on real telephones: a SIP worker beside the server, and what the server says to it."""
