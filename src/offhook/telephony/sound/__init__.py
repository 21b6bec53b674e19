"""What callers hear: recordings, texts spoken by an engine of this machine, and tones of our own, as G.711 files.

What needs numpy stands in `samples`, `tones` and `music`, which are imported by the threads that do such work: a server
that plays nothing does without.
"""
