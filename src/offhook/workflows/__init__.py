"""Workflows: definitions in Conductor's JSON, and what runs them durably."""
