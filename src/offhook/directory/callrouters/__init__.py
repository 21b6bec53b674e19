"""Call routers: lines whose every call is decided by a web service of the company."""
