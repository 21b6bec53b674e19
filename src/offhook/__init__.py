"""Offhook: an office phone system created by one API call."""

__version__ = "0.1.0"
