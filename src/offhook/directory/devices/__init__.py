"""Devices: the telephones and apps on which users and rooms are rung."""
