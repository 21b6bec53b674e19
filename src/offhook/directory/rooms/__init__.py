"""Rooms: places with a telephone that is nobody's own, such as a lobby."""
