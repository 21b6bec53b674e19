"""Who a username is: asked of the server once, remembered for a while, and forgotten (telephones come back every
minute).
"""

from collections.abc import Callable, Mapping

from offhook.telephony import port

LIFE = 60.0
REMEMBERED = 10_000
WAITING = 2_000
"""Names that are asked for at once."""
EACH = 20
"""Requests that wait for one of them."""
SECONDS = 5
"""For which the server's word is waited for, once there is more to ask."""
Told = Callable[[Mapping[str, str]], None]


class Accounts:
    """A cache before the server's `Account`; unknown ones are remembered as well as known ones.

    `refused` is told why requests are turned away whose sender is not known, and how many.
    """

    def __init__(
        self, say: Callable[[port.Event], None], refused: Callable[[str, int], None], now: Callable[[], float]
    ) -> None:
        self._say = say
        self._refused = refused
        self._now = now
        self._known: dict[str, tuple[float, Mapping[str, str]]] = {}
        self._asking: dict[str, tuple[float, list[Told]]] = {}

    def ask(self, username: str, told: Told) -> bool:
        """Have `told` called with the digests of a username, at once or later. False: too many are asked already."""
        now = self._now()
        known = self._known.get(username)
        if known is not None and now - known[0] <= LIFE:
            told(known[1])
            return True
        asking = self._asking.get(username)
        if asking is not None and now - asking[0] <= SECONDS:
            if len(asking[1]) >= EACH:
                self._refused("too many waiting", 1)
                return False
            asking[1].append(told)
            return True
        while self._asking and now - next(iter(self._asking.values()))[0] > SECONDS:
            _, waited = self._asking.pop(next(iter(self._asking)))
            self._refused("no word in time", len(waited))
        if len(self._asking) >= WAITING:
            self._refused("too many waiting", 1)
            return False
        self._asking[username] = (now, [told])
        self._say(port.Whois(username))
        return True

    def told(self, account: port.Account) -> None:
        """The server's word, asked for or not."""
        self._known.pop(account.username, None)
        if account.sure:
            self._known[account.username] = self._now(), account.digests
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        for told in self._asking.pop(account.username, (0.0, []))[1]:
            told(account.digests)

    def sure_of(self, username: str) -> bool:
        """Whether the server has lately said who it is, or that nobody is."""
        return username in self._known

    def forget(self) -> None:
        """Everything, for a new realm."""
        self._known.clear()


def may_be_a_username(name: str) -> bool:
    """Whether a telephone may be called so; no number is, so that who calls from one is never asked for."""
    return 0 < len(name) <= 64 and name.isprintable() and any(map(str.isalpha, name))
