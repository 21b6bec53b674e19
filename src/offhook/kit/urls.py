"""Web addresses that people send: http or https, a host, and nothing that hides where they lead.

Whether the address answers, and whether it may be called, is not known here.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from offhook.kit.errors import Violation, shown

LENGTH = 2048
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def _host_fault(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return ""
    if not host.isascii():
        return "Must have its host in ASCII: write an international name in its xn-- form."
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
        return "Must have a host name, such as https://example.com/path."
    return ""


def check_url(text: str, location: str) -> tuple[str | None, Violation | None]:
    """An http or https address without the spaces around it, or why it is none: `("https://example.com", None)`.

    A user name or password in it is refused, and not shown again.
    """
    url = text.strip(" ")
    message, secret = "", "@" in url
    if len(url) > LENGTH:
        message = f"Must have at most {LENGTH} characters, but has {len(url)}."
    elif not url.isprintable() or " " in url or "\\" in url:
        message = "Must be without spaces, backslashes and control characters."
    else:
        try:
            parts = urlsplit(url)
            host, _port = parts.hostname or "", parts.port
        except ValueError:
            message = "Must be a web address, such as https://example.com/path."
        else:
            if parts.scheme not in ("http", "https"):
                message = "Must begin with https:// or http://."
            elif "@" in parts.netloc:
                message = "Must be without a user name or password; leave out what stands before the @."
            else:
                secret, message = False, _host_fault(host)
    if message:
        return None, Violation(location=location, message=message, sent=None if secret else shown(url))
    return url, None
