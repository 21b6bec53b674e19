"""Credentials that requests are sent with: encrypted at rest, never shown again, for named hosts only."""
