"""Runs: kept, taken on turn by turn, seen and controlled."""
