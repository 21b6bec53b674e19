"""Definitions: read, checked, kept by version, imported from elsewhere."""
