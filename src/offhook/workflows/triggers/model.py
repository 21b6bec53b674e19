"""What starts workflows: schedules, triggers and hooks as they are kept, and a start that is decided.

Moments are milliseconds since 1970 UTC.
"""

from typing import Any, Literal, Protocol

import msgspec

Missed = Literal["skip", "once", "all"]
Overlap = Literal["allow", "skip"]
Language = Literal["javascript", "jsonata"]
Proof = Literal["token", "signed", "github"]
"""How a caller of a hook shows that it may: the secret itself, or a signature of the body made with it."""

Source = Literal["schedule", "trigger"]


class Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Starts a workflow (the latest version for None) at the moments of a cron expression on the clock of `zone`."""

    name: str
    workflow: str
    version: int | None = None
    cron: str
    zone: str = "UTC"
    input: dict[str, Any] = {}
    missed: Missed = "once"
    overlap: Overlap = "allow"
    paused: bool = False
    by: str = ""


class Trigger(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Starts a workflow for events that a pattern of `events` fits, and that fulfil all its conditions.

    `where` maps fields of the event to the values that they must have; `expression` must be true; `not_by` are names of
    keys whose events are passed over. More than `most` starts in a minute stop it; `stopped` then says why.
    """

    name: str
    workflow: str
    version: int | None = None
    events: tuple[str, ...]
    where: dict[str, Any] = {}
    expression: str = ""
    language: Language = "javascript"
    not_by: tuple[str, ...] = ()
    input: dict[str, Any] = {}
    most: int = 600
    paused: bool = False
    stopped: str = ""
    by: str = ""


class Hook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Starts a workflow when it is called over HTTP by who has its secret.

    Of a token the SHA-256 is kept, of a secret for signatures the sealed form. `headers` are names of request headers
    that go into the run's input, `idempotency_header` the one whose value makes a call the same call.
    """

    name: str
    workflow: str
    version: int | None = None
    proof: Proof = "token"
    digest: str = ""
    sealed: str = ""
    headers: tuple[str, ...] = ()
    idempotency_header: str = ""
    paused: bool = False
    company_id: int
    environment: Literal["live", "sandbox"]
    by: str = ""


class Planned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A start that was decided and is to be carried out. Its `key` makes sure that it is one run, however often tried.

    `source_id` is the schedule's or trigger's; `moment` the one that it is for, or the event's. `late` says that the
    moment had been missed, `put_off` why it could not be carried out the last time that it was tried.
    """

    key: str
    source: Source
    source_id: int
    source_name: str
    workflow: str
    version: int | None = None
    input: Any = None
    moment: int
    event: int = 0
    word: str = ""
    late: bool = False
    decided: int
    tries: int = 0
    put_off: str = ""
    fault: str = ""


class Ran(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a schedule or trigger the last time: what, for which moment, the run, and why there is none."""

    outcome: Literal["started", "missed", "skipped", "failed"]
    moment: int
    run_id: int = 0
    why: str = ""


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a trigger's patterns that it passed over: which, when it was, which condition it did not fulfil."""

    event: int
    word: str
    moment: int
    why: str


class Heard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Calls of a hook that were alike: how many in a row, when the last one was, their run, or why there is none."""

    moment: int
    run_id: int = 0
    why: str = ""
    times: int = 1


class Start(Protocol):
    """Starts a run and gives its id. The run that was started with the same `idempotency` key is that one."""

    async def __call__(
        self,
        tenant_id: int,
        name: str,
        version: int | None,
        given: Any,
        /,
        *,
        idempotency: str,
        by: str,
        correlation: str,
    ) -> int: ...
