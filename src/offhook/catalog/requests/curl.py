"""A curl command read as a request, as browsers, manuals and people write it. Pure: no file is ever read.

Shell quoting is understood (`'..'`, `"..."`, `$'..'`, a backslash, lines that go on), and as far as it can be that of
Windows' command line (`^`). What is not used is said in a notice that names it, so that nothing goes missing unseen.
"""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import msgspec

from offhook.catalog.requests.model import FORM, MULTIPART, Pair, Prepared, media_of
from offhook.catalog.requests.typed import offers
from offhook.kit.errors import Invalid, Notice, Violation, shown

MOST = 1_000_000
MOST_WORDS = 2_000

_LONG_OF = {
    "X": "request", "H": "header", "d": "data", "u": "user", "b": "cookie", "G": "get", "F": "form", "A": "user-agent",
    "e": "referer", "k": "insecure", "I": "head", "L": "location", "s": "silent", "S": "show-error", "v": "verbose",
    "i": "include", "f": "fail", "g": "globoff", "o": "output", "O": "remote-name", "T": "upload-file", "x": "proxy",
    "m": "max-time", "c": "cookie-jar", "K": "config", "w": "write-out", "E": "cert", "D": "dump-header", "U":
    "proxy-user", "r": "range", "n": "netrc", "N": "no-buffer", "4": "ipv4", "6": "ipv6", "0": "http1.0", "#":
    "progress-bar", "J": "remote-header-name", "z": "time-cond", "y": "speed-time", "Y": "speed-limit", "C":
    "continue-at", "P": "ftp-port", "Q": "quote", "t": "telnet-option", "j": "junk-session-cookies", "a": "append",
    "l": "list-only", "p": "proxytunnel", "q": "disable", "R": "remote-time", "Z": "parallel", "M": "manual",
}  # fmt: skip
_TAKE_A_VALUE = frozenset(
    """request header data data-raw data-ascii data-binary data-urlencode json user cookie form form-string user-agent
    referer url output upload-file proxy max-time cookie-jar config write-out cert dump-header proxy-user range
    time-cond speed-time speed-limit continue-at ftp-port quote telnet-option connect-timeout retry retry-delay
    retry-max-time max-redirs cacert capath key key-type cert-type pass resolve connect-to interface limit-rate
    url-query oauth2-bearer aws-sigv4 unix-socket abstract-unix-socket noproxy proto proto-default proto-redir
    ciphers tls-max tls13-ciphers dns-servers doh-url local-port trace trace-ascii stderr variable netrc-file
    socks5 socks5-hostname socks4 socks4a preproxy proxy-header keepalive-time max-filesize pinnedpubkey
    happy-eyeballs-timeout-ms output-dir parallel-max rate""".split()
)
_SAID = {
    "insecure": "Certificates are always checked.",
    "location": "Whether redirects are followed is chosen when the request is tried.",
    "compressed": "Compressed answers are always understood.",
}
_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b", "\\": "\\",
    "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_CODE = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})")
_VARIABLE = re.compile(r"\$(?:\w+|\{\w+\}|\(.{0,80}\))")
_WINDOWS = re.compile(r'\^"|\^\r?\n')


@dataclass(frozen=True, slots=True)
class Read:
    """A request, and what of its command was not used."""

    prepared: Prepared
    notices: tuple[Notice, ...] = ()


def from_curl(text: str) -> Read:
    """The request that a curl command makes; Invalid if it is none, naming what is missing.

    What `-u`, `-b` and headers hold that is secret stays in the request, in the clear: a notice says how to keep it as
    a credential instead.
    """
    if len(text) > MOST:
        raise _refused(f"A command may have {MOST} characters; this one has {len(text)}.")
    notices: list[Notice] = []
    words = _words(text, notices)
    while words and (words[0] in ("$", "#", ">") or re.fullmatch(r"\w+=.*", words[0], re.DOTALL)):
        words.pop(0)
    name = words[0].replace("\\", "/").rpartition("/")[2].lower() if words else ""
    if name not in ("curl", "curl.exe"):
        raise _refused("Must be a curl command: curl https://api.example.com/offices.")
    reading = _Reading(notices)
    reading.words(words[1:])
    prepared = reading.prepared()
    notices += [offer.notice for offer in offers(prepared)]
    return Read(prepared, tuple(dict.fromkeys(notices)))


def _refused(message: str) -> Invalid:
    return Invalid.of([Violation(location="curl", message=message)])


# Words of a shell


def _words(text: str, notices: list[Notice]) -> list[str]:
    if _WINDOWS.search(text):
        return _windows_words(text)
    shell = _Shell(text.strip(), notices)
    words = shell.words()
    if len(words) > MOST_WORDS:
        raise _refused(f"A command may have {MOST_WORDS} words; this one has {len(words)}.")
    return words


class _Shell:
    """Splits one command as a POSIX shell does, without carrying anything out."""

    def __init__(self, text: str, notices: list[Notice]) -> None:
        self._text, self._at, self._notices = text, 0, notices
        self._word: list[str] | None = None
        self._found: list[str] = []

    def words(self) -> list[str]:
        text = self._text
        while self._at < len(text):
            here = text[self._at]
            if here == "\\":
                self._backslash()
            elif here == "'":
                self._put(self._until("'", self._at + 1))
            elif text.startswith("$'", self._at):
                self._ansi()
            elif here == '"' or text.startswith('$"', self._at):
                self._at += here == "$"
                self._double()
            elif here in " \t":
                self._end()
                self._at += 1
            elif here in "\r\n":
                self._at += 1
                self._end()
                if self._found:
                    self._rest()
                    break
            elif here in "|;&<>" and self._ends_command(here):
                break
            elif here == "#" and self._word is None and self._found:
                self._at = (text.find("\n", self._at) + 1 or len(text) + 1) - 1
            else:
                self._put(here)
                self._at += 1
        self._end()
        return self._found

    def _put(self, text: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(text)

    def _end(self) -> None:
        if self._word is not None:
            word = "".join(self._word)
            self._found.append(word)
            self._word = None

    def _backslash(self) -> None:
        following = self._text[self._at + 1 : self._at + 3]
        if following[:1] == "\n" or following == "\r\n":
            self._at += 3 if following == "\r\n" else 2
            return
        if following:
            self._put(following[0])
        self._at += 2

    def _until(self, quote_mark: str, start: int) -> str:
        end = self._text.find(quote_mark, start)
        if end < 0:
            raise _refused(f"A quote ({quote_mark}) is opened at character {start} and not closed.")
        self._at = end + 1
        return self._text[start:end]

    def _double(self) -> None:
        text, at, made = self._text, self._at + 1, []
        while at < len(text) and text[at] != '"':
            if text[at] == "\\" and at + 1 < len(text):
                if text[at + 1] in '$`"\\':
                    made.append(text[at + 1])
                elif text[at + 1] != "\n":
                    made.append(text[at : at + 2])
                at += 2
                continue
            if text[at] in "$`" and (found := _VARIABLE.match(text, at)):
                self._variable(found.group())
            made.append(text[at])
            at += 1
        if at >= len(text):
            raise _refused(f'A quote (") is opened at character {self._at + 1} and not closed.')
        self._at = at + 1
        self._put("".join(made))

    def _variable(self, name: str) -> None:
        text = "What a shell would put here is not known; write it, or make it an expression."
        self._notices.append(Notice("shell_variable", shown(name), text))

    def _ansi(self) -> None:
        text, at, made = self._text, self._at + 2, []
        while at < len(text) and text[at] != "'":
            if text[at] != "\\":
                made.append(text[at])
                at += 1
            elif code := _CODE.match(text, at + 1):
                number = int(code[4], 8) & 255 if code[4] else int(code[1] or code[2] or code[3], 16)
                made.append(chr(number) if number < 0x110000 else "\N{REPLACEMENT CHARACTER}")
                at = code.end()
            else:
                made.append(_ESCAPES.get(text[at + 1 : at + 2], text[at : at + 2]))
                at += 2
        if at >= len(text):
            raise _refused(f"A quote ($') is opened at character {self._at + 1} and not closed.")
        self._at = at + 1
        # Browsers write characters beyond the first 65,536 as two halves.
        self._put("".join(made).encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    def _ends_command(self, here: str) -> bool:
        if here == "&" and self._word is not None and "".join(self._word[-2000:]).startswith(("http:", "https:")):
            # An address that somebody forgot to quote.
            self._put("&")
            self._at += 1
            return False
        self._end()
        self._rest()
        return True

    def _rest(self) -> None:
        if rest := self._text[self._at :].strip():
            self._notices.append(Notice("rest_not_used", shown(rest), "Only the first command is read."))


def _windows_words(text: str) -> list[str]:
    """Words of Windows' command line: `^` makes the next character plain, double quotes hold a word together."""
    text = re.sub(r"\^\r?\n(?:\r?\n)?", lambda found: "\n" if found.group().count("\n") > 1 else " ", text.strip())
    text = re.sub(r"\^(.)", r"\1", text, flags=re.DOTALL)
    words: list[str] = []
    word: list[str] | None = None
    quoted, at = False, 0
    while at < len(text):
        here, following = text[at], text[at + 1 : at + 2]
        if here == "\\" and following in ('"', "\\") and (following == '"' or text[at + 2 : at + 3] == '"'):
            word = _grown(word, following)
            at += 2
            continue
        if here == '"':
            if quoted and following == '"':
                word = _grown(word, '"')
                at += 1
            else:
                quoted, word = not quoted, word if word is not None else []
        elif here.isspace() and not quoted:
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = _grown(word, here)
        at += 1
    if quoted:
        raise _refused('A quote (") is opened and not closed.')
    if word is not None:
        words.append("".join(word))
    return words


def _grown(word: list[str] | None, text: str) -> list[str]:
    word = [] if word is None else word
    word.append(text)
    return word


# Options of curl


@dataclass(slots=True)
class _Reading:
    """What the options say, in their order."""

    notices: list[Notice]
    method: str = ""
    url: str = ""
    headers: list[Pair] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    query: list[str] = field(default_factory=list)
    form: dict[str, str | list[str]] = field(default_factory=dict)
    media: str = ""
    get: bool = False
    head: bool = False
    posts: bool = False

    def words(self, words: list[str]) -> None:
        """Read all words behind `curl`."""
        waiting = list(reversed(words))
        plain = False
        while waiting:
            word = waiting.pop()
            if plain or not word.startswith("-") or word == "-":
                self._address(word)
            elif word == "--":
                plain = True
            elif word.startswith("--"):
                name, equals, value = word[2:].partition("=")
                if name in _TAKE_A_VALUE:
                    self._option(name, value if equals else self._next(waiting, word))
                else:
                    self._switch(name)
            else:
                self._short(word, waiting)

    def _short(self, word: str, waiting: list[str]) -> None:
        for number, letter in enumerate(word[1:], 1):
            name = _LONG_OF.get(letter, letter)
            if name in _TAKE_A_VALUE:
                self._option(name, word[number + 1 :] or self._next(waiting, f"-{letter}"))
                return
            self._switch(name)

    @staticmethod
    def _next(waiting: list[str], option: str) -> str:
        if not waiting:
            raise _refused(f"{shown(option)} needs a value behind it.")
        return waiting.pop()

    def _switch(self, name: str) -> None:
        if name == "get":
            self.get = True
        elif name == "head":
            self.head = True
        else:
            self._not_used(name)

    def _not_used(self, name: str) -> None:
        option = shown(f"--{name}" if len(name) > 1 else f"-{name}")
        text = f"{option} is not used. {_SAID.get(name, '')}".strip()
        self.notices.append(Notice("option_not_used", option, text))

    def _option(self, name: str, value: str) -> None:
        if name == "request":
            self.method = value
        elif name == "header":
            self._header(value)
        elif name in ("data", "data-ascii", "data-binary", "data-raw", "json", "data-urlencode"):
            self._data(name, value)
        elif name in ("form", "form-string"):
            self._form(name, value)
        elif name == "user":
            self._authorization("Basic " + base64.b64encode(value.encode("utf-8", "replace")).decode())
        elif name == "oauth2-bearer":
            self._authorization(f"Bearer {value}")
        elif name == "cookie":
            if "=" in value:
                self.headers.append(Pair("Cookie", value))
            else:
                self._file(value, "cookies")
        elif name == "user-agent":
            self.headers.append(Pair("User-Agent", value))
        elif name == "referer":
            self.headers.append(Pair("Referer", value))
        elif name == "url":
            self._address(value)
        elif name == "url-query":
            self.query.append(value.removeprefix("+") if value.startswith("+") else self._encoded(value) or "")
        elif name in ("upload-file", "config", "cert", "key", "netrc-file"):
            self._file(value, name)
        else:
            self._not_used(name)

    def _authorization(self, value: str) -> None:
        self.headers.append(Pair("Authorization", value))

    def _address(self, value: str) -> None:
        if self.url:
            self.notices.append(Notice("address_not_used", shown(value), "One request has one address: the first."))
        else:
            self.url = value

    def _file(self, name: str, use: str) -> None:
        text = f"Files are not read ({use}): paste what is in it."
        self.notices.append(Notice("file_not_read", shown(name.removeprefix("@")), text))

    def _header(self, text: str) -> None:
        if text.startswith("@"):
            self._file(text, "headers")
            return
        name, colon, value = text.partition(":")
        name, value = name.strip(), value.strip()
        if not colon and name.endswith(";"):
            self.headers.append(Pair(name[:-1]))
        elif not colon or not name:
            self.notices.append(Notice("header_not_used", shown(text), "A header is written Name: value."))
        elif not value:
            self.notices.append(Notice("header_not_used", shown(name), "Without a value curl leaves a header out."))
        elif name.lower() == "content-type":
            self.media = value
        elif name.lower() in ("host", "content-length", "connection", "transfer-encoding") or name.startswith(":"):
            self.notices.append(Notice("header_not_used", shown(name), "Whoever sends the request sets this header."))
        else:
            self.headers.append(Pair(name, value))

    def _data(self, name: str, value: str) -> None:
        self.posts = True
        if name == "json":
            self.media = self.media or "application/json"
            if not any(pair.name.lower() == "accept" for pair in self.headers):
                self.headers.append(Pair("Accept", "application/json"))
        if name == "data-urlencode":
            encoded = self._encoded(value)
            if encoded is not None:
                self.data.append(encoded)
        elif value.startswith("@") and name != "data-raw":
            self._file(value, "body")
        elif name == "json":
            # Several of them are put together as they are.
            self.data = ["".join([*self.data, value])]
        else:
            self.data.append(value)

    def _encoded(self, value: str) -> str | None:
        """What --data-urlencode makes of its value; None for a file."""
        found = re.search(r"[=@]", value)
        if found is None:
            return quote(value, safe="")
        name, rest = value[: found.start()], value[found.end() :]
        if found.group() == "@":
            self._file(rest, "body")
            return None
        return f"{name}={quote(rest, safe='')}" if name else quote(rest, safe="")

    def _form(self, option: str, text: str) -> None:
        self.posts = True
        name, equals, value = text.partition("=")
        if not equals:
            self.notices.append(Notice("form_not_used", shown(text), "A field is written name=value."))
            return
        if option == "form" and value.startswith(("@", "<")):
            self._file(value[1:].partition(";")[0], f"field {name}")
            value = ""
        elif option == "form" and (found := re.search(r";\s*(?:type|filename|headers|encoder)=.*$", value, re.DOTALL)):
            self.notices.append(Notice("form_not_used", shown(name), f"Not used: {shown(found.group())}"))
            value = value[: found.start()]
        before = self.form.get(name)
        if before is None:
            self.form[name] = value
        else:
            self.form[name] = [*(before if isinstance(before, list) else [before]), value]

    # The request

    def prepared(self) -> Prepared:
        """The request that was read."""
        server, path, pairs = self._split()
        data = "&".join(self.data)
        if self.get and data:
            pairs += _pairs(data)
            data = ""
        for text in self.query:
            pairs += _pairs(text)
        media, body = self.media, data
        if self.form and not self.get:
            media, body = MULTIPART, _written(dict(self.form))
        elif data:
            media = media or FORM
            if media_of(media) == FORM:
                media, body = self._form_body(media, data)
        method = self.method or ("HEAD" if self.head else "POST" if self.posts and not self.get else "GET")
        if method != method.upper():
            self.notices.append(Notice("method_written", shown(method), "Methods are sent in capitals."))
        return Prepared(
            method=method.upper(),
            server=server,
            path=path,
            query=tuple(pairs),
            headers=tuple(self.headers),
            media=media,
            body=body,
        )

    def _form_body(self, media: str, data: str) -> tuple[str, str]:
        """A form as its fields; or the text as it is where it would not come out again as it went in."""
        if data.lstrip()[:1] in ("{", "[") and "Content-Type" not in self.media and not self.media:
            text = "The body looks like JSON, which curl would send as a form: it is taken for JSON."
            self.notices.append(Notice("json_guessed", "Content-Type", text))
            return "application/json", data
        pairs = parse_qsl(data, keep_blank_values=True, max_num_fields=MOST_WORDS) if data.count("&") < 1000 else []
        fields: dict[str, str | list[str]] = {}
        for name, value in pairs:
            before = fields.get(name)
            fields[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
        if not pairs or any("=" not in part for part in data.split("&")):
            self.notices.append(Notice("form_as_text", "body", "This is no form of fields: it is sent as plain text."))
            return "text/plain", data
        return media, _written(fields)

    def _split(self) -> tuple[str, str, list[Pair]]:
        url = self.url.strip()
        if not url:
            raise _refused("There is no address in it: curl https://api.example.com/offices.")
        if "://" not in url:
            url = f"http://{url}"
            self.notices.append(Notice("scheme_guessed", shown(url), "Without https:// curl takes http://."))
        try:
            parts = urlsplit(url)
        except ValueError:
            raise _refused("Its address is none: curl https://api.example.com/offices.") from None
        userinfo, at, host = parts.netloc.rpartition("@")
        if at:
            self._authorization("Basic " + base64.b64encode(unquote(userinfo).encode("utf-8", "replace")).decode())
        return f"{parts.scheme}://{host}", parts.path, _pairs(parts.query)


def _pairs(query: str) -> list[Pair]:
    if not query:
        return []
    parts = [part.partition("=") for part in query.split("&")[:MOST_WORDS] if part]
    return [Pair(unquote(name.replace("+", " ")), unquote(value.replace("+", " "))) for name, _, value in parts]


def _written(fields: dict[str, str | list[str]]) -> str:
    return msgspec.json.format(msgspec.json.encode(fields), indent=2).decode()
