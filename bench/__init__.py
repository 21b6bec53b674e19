"""Measures a server process under load: `python -m bench` prints the figures and the bars they are held to."""
