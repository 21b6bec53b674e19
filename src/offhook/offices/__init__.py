"""The office: its wire form, its rules, its storage, what can be done with it, and the routes to do it."""
