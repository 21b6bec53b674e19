"""Coaching teams: coaches, and the trainees whose calls they follow."""
