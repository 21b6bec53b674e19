"""Test runs: prepared requests sent through the guarded client, and what came of each."""
