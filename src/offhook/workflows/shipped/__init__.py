"""Definitions that come with Offhook, for work that everybody has: registered by name, run as any other."""
