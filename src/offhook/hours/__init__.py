"""Opening hours and holidays: what a schedule says at a moment. Pure: no clock, no I/O, no SQL."""
