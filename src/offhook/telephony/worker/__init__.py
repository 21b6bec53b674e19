"""The SIP worker: a process of its own that speaks SIP and sound, and the port's messages with the server."""
