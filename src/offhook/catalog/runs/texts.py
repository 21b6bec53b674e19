"""Bodies of answers as text that can be shown, whatever they are. Pure."""

import re
from collections.abc import Sequence

import msgspec

from offhook.catalog.requests.model import is_json, media_of

_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_KNOWN = re.compile(
    r"utf-?(?:8|16|16le|16be|32)|us-ascii|ascii|latin-?1|iso-?8859-\d{1,2}|windows-125\d|cp125\d|koi8-[ru]|"
    r"shift[_-]?jis|euc-(?:jp|kr)|gbk|gb2312|gb18030|big5"
)
"""Encodings that are undone in bounded time; some of those that Python knows are not."""

_TEXTUAL = (
    "text/",
    "application/json",
    "application/xml",
    "application/javascript",
    "application/x-www-form-urlencoded",
)


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A body as text. `lossy`: some bytes were not of its encoding, and stand as U+FFFD. `binary`: it is no text."""

    text: str
    lossy: bool = False
    binary: bool = False


def header(headers: Sequence[tuple[str, str]], name: str) -> str:
    """The first value of a header, "" without one."""
    return next((value for one, value in headers if one.lower() == name), "")


def encoding_of(content_type: str) -> str:
    """The encoding that a Content-Type names, UTF-8 if it names none that is known."""
    named = _CHARSET.search(content_type)
    return named[1].lower() if named and _KNOWN.fullmatch(named[1].lower()) else "utf-8"


def text_of(body: bytes, content_type: str) -> Text:
    """The body as text, by the encoding that its Content-Type names, else UTF-8."""
    media = media_of(content_type)
    encoding = encoding_of(content_type)
    if encoding == "utf-8":
        body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return Text(text=body.decode(encoding))
    except (UnicodeError, LookupError):
        pass
    textual = media.startswith(_TEXTUAL) or media.endswith(("+json", "+xml"))
    if not textual and (b"\0" in body or not media or media.startswith(("image/", "audio/", "video/", "font/"))):
        return Text(text="", binary=True)
    if not textual and media == "application/octet-stream":
        return Text(text="", binary=True)
    return Text(text=body.decode(encoding if encoding != "utf-8" else "utf-8", "replace"), lossy=True)


def pretty(text: str, content_type: str) -> str:
    """A JSON text with its lines and indents; any other, or one that is cut off, as it is."""
    if not is_json(content_type) and text[:1] not in ("{", "["):
        return text
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text
