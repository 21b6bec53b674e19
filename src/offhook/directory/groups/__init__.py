"""Departments and call centers: lines of an office with hours, routing, operators and numbers of their own."""
