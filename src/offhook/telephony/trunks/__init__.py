"""Trunks: the carriers of companies, from which calls come in and by which allowed numbers are called."""
