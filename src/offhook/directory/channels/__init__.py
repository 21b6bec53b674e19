"""Channels: conversations that users belong to."""
