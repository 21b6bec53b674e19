"""The routes of routing: a simulated call, who is reachable when."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from offhook.access.gate import reply_of
from offhook.directory.lines.model import Target
from offhook.directory.paths import id_of
from offhook.kit.operation import Call, Operation, Reply
from offhook.routing import report, wire
from offhook.routing.coverage import Week
from offhook.routing.findings import Report
from offhook.routing.model import Company
from offhook.routing.picture import svg
from offhook.routing.service import Routing
from offhook.routing.turn import name_of

TAG = "Routing"
SCOPE = "calls:read"
ADDED = "/api/offhook/v1"
_VERIFY = (
    "Goes through all times of the coming year and all keys of the menus, by the decisions of real calls. Each finding "
    "says what is wrong, when, what a caller lives through, and how to mend it. Nothing is changed."
)


def operations(routing: Routing) -> list[Operation]:
    """The operations of this subject."""

    async def simulate(call: Call) -> Reply:
        return reply_of(await routing.simulate(call))

    async def company_coverage(call: Call) -> Reply:
        return _coverage(call, *await routing.weeks(call, None))

    async def office_coverage(call: Call) -> Reply:
        return _coverage(call, *await routing.weeks(call, id_of(call)))

    def line_coverage(kind: str) -> Operation:
        async def week(call: Call) -> Reply:
            return _coverage(call, *await routing.week(call, Target(kind, id_of(call))))

        noun = {"department": "a department", "callcenter": "a call center"}[kind]
        return Operation(
            id=f"offhook.{kind}s.coverage",
            method="GET",
            path=f"{ADDED}/{kind}s/{{id}}/coverage",
            tag=TAG,
            summary=f"Show who of {noun} is reachable when",
            description="Its week, cut where anything changes, as JSON or as a picture.",
            handler=week,
            scope=SCOPE,
            query=wire.CoverageQuery,
            reply=wire.CoverageOut,
            other_media=("image/svg+xml",),
            reply_description="The week; with format=svg an image.",
            note="a week of one line",
        )

    async def verify_of_office(call: Call) -> Reply:
        return reply_of(await routing.verify_office(call, id_of(call)))

    def verify_of_line(kind: str) -> Operation:
        async def verify(call: Call) -> Reply:
            return reply_of(await routing.verify_line(call, Target(kind, id_of(call))))

        noun = {"department": "a department", "callcenter": "a call center"}[kind]
        return Operation(
            id=f"offhook.{kind}s.verify",
            method="POST",
            path=f"{ADDED}/{kind}s/{{id}}/verify",
            tag=TAG,
            summary=f"Find what callers of {noun} would be lost by",
            description=_VERIFY,
            handler=verify,
            scope=SCOPE,
            reply=Report,
            reply_description="The findings, the worst first.",
            note="at all times, with all keys",
        )

    return [
        Operation(
            id="offhook.offices.verify",
            method="POST",
            path=f"{ADDED}/offices/{{id}}/verify",
            tag=TAG,
            summary="Find what callers of an office would be lost by",
            description=_VERIFY + " Of an office: its main line, its departments, call centers and call routers.",
            handler=verify_of_office,
            scope=SCOPE,
            reply=Report,
            reply_description="The findings, the worst first.",
            note="loops, dead ends, keys that lead nowhere, nobody to ring, gaps between hours, and more",
        ),
        verify_of_line("department"),
        verify_of_line("callcenter"),
        Operation(
            id="offhook.simulate",
            method="POST",
            path=f"{ADDED}/simulate",
            tag=TAG,
            summary="Ask what would happen to a call",
            description="Decides a call as a real one would be decided, with a script of what the caller presses and "
            "who answers: who rings in which order for how long, what is heard, where it ends, and why. Nobody rings, "
            "and nothing changes. Whose turn it is and who has been idle longest are as calls have left them by now; "
            "calls that last are not looked at.",
            handler=simulate,
            scope=SCOPE,
            body=wire.SimulateIn,
            reply=wire.TraceOut,
            reply_description="The call, step by step, and as text and as a Mermaid sequence.",
            note="a call that is not made",
        ),
        Operation(
            id="offhook.coverage",
            method="GET",
            path=f"{ADDED}/coverage",
            tag=TAG,
            summary="Show who of the company is reachable when",
            description="The week of every line of the company (the first 500), as JSON or as a picture.",
            handler=company_coverage,
            scope=SCOPE,
            query=wire.CoverageQuery,
            reply=wire.CoverageOut,
            other_media=("image/svg+xml",),
            reply_description="The weeks; with format=svg an image.",
            note="a week of the company",
        ),
        Operation(
            id="offhook.offices.coverage",
            method="GET",
            path=f"{ADDED}/offices/{{id}}/coverage",
            tag=TAG,
            summary="Show who of an office is reachable when",
            description="The week of its main line, its departments and call centers, as JSON or as a picture.",
            handler=office_coverage,
            scope=SCOPE,
            query=wire.CoverageQuery,
            reply=wire.CoverageOut,
            other_media=("image/svg+xml",),
            reply_description="The weeks; with format=svg an image.",
            note="a week of an office",
        ),
        line_coverage("department"),
        line_coverage("callcenter"),
    ]


def _coverage(call: Call, config: Company, weeks: list[Week]) -> Reply:
    query: wire.CoverageQuery = call.query or wire.CoverageQuery()
    if query.format == "svg":
        return Reply(body=svg(weeks).encode(), media=b"image/svg+xml")
    return reply_of(wire.CoverageOut(config_version=str(config.version), weeks=[_week(config, one) for one in weeks]))


def _week(config: Company, week: Week) -> wire.WeekOut:
    zone = ZoneInfo(week.timezone)
    return wire.WeekOut(
        line=report.place(lambda target: name_of(config, target), week.target),
        timezone=week.timezone,
        first_day=week.first.isoformat(),
        stretches=[
            wire.StretchOut(
                start=_on(one.start, zone),
                end=_on(one.end, zone),
                open=one.open,
                why=one.why,
                reachable=one.reachable,
                rings=list(one.rings),
                keys=[wire.KeyOut(key=key, rings=list(names), ends=ends) for key, ends, names in one.keys],
                ends=one.ends,
            )
            for one in week.stretches
        ],
    )


def _on(at: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).isoformat(timespec="seconds")
