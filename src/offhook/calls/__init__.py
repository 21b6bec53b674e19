"""Calls as they happen: a session each, which asks routing what to do and keeps why."""
