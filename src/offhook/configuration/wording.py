"""What operations say, in the words of a file: records by what they are called, and fields in place of requests."""

import re
from collections.abc import Callable

from offhook.configuration.wire import NOUNS

_WORDS = {
    "office": "office",
    "user": "user",
    "room": "room",
    "department": "department",
    "callcenter": "callcenter",
    "call center": "callcenter",
    "callrouter": "callrouter",
    "call router": "callrouter",
    "channel": "channel",
    "coachinggroup": "coachinggroup",
    "coaching team": "coachinggroup",
    "contact": "contact",
    "policy": "policy",
    "prompt": "prompt",
}
_ID = re.compile(rf"\b({'|'.join(sorted(_WORDS, key=len, reverse=True))}) (\d{{6,20}})\b")

_INSTEAD = (
    (re.compile(r"; unassign it there first, or"), ": leave it out of the phone_numbers there ([] for none), or"),
    (
        re.compile(r": buy one with POST \S+/licences, \{\"(\w+)\": \d+\}\."),
        r": it needs a larger number of \1 in the licences of that office.",
    ),
    (re.compile(r": add it first \(offhook number add\)"), ": list it in the section numbers"),
    (re.compile(r"; POST \S+/definitions does it"), ": offhook workflow register FILE does it"),
    (re.compile(r"; give it with POST \S+/assign_number"), "; list it in phone_numbers"),
    (re.compile(r"; see PATCH \S+/status\."), "."),
)
"""What a request would mend, and how a file does."""

Called = Callable[[str, int], str]
"""What a record of a kind is called, by its id; the id itself if it has no name."""


def in_words_of_file(text: str, called: Called) -> str:
    """A message of an operation as a file's author needs it."""
    for pattern, instead in _INSTEAD:
        text = pattern.sub(instead, text)
    return _ID.sub(lambda found: f"{found[1]} {called(_WORDS[found[1]], int(found[2]))}", text)


def article(section: str) -> str:
    """One record of a section as a sentence begins with it: `An office`, `A user`."""
    noun = NOUNS[section]
    return f"{'An' if noun[0] in 'aeio' else 'A'} {noun}"
