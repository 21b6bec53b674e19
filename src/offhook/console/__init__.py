"""The web pages: server-rendered, no build, no CDN."""
