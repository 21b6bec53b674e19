"""The reference pages: they show every field, stand on their own, and let nothing through unescaped."""

import json
import re
import shlex
from html.parser import HTMLParser
from typing import Annotated, Any, Literal, Optional

import msgspec
import pytest
from msgspec import Meta

from offhook.console.reference import ASSET_PATH, ASSETS, HOME, render
from offhook.kit.openapi import document
from offhook.kit.operation import Call, Limit, Operation, Outside, Reply
from offhook.kit.wire import Int64, Int64Text


class Options(msgspec.Struct):
    """What a key does."""

    action: Annotated[Literal["voicemail", "menu"] | None, Meta(description="What happens.")] = None
    action_target_id: Annotated[Int64 | None, Meta(description="Who is called.")] = None


class Key(msgspec.Struct):
    input: Annotated[str, Meta(description="The key.", pattern="^[0-9]$")] | None = None
    options: Options | None = None


class State(msgspec.Struct):
    action: Literal["voicemail", "menu"]
    dtmf: Annotated[list[Key] | None, Meta(description="The menu's keys.")] = None


class Routing(msgspec.Struct):
    """Where calls go."""

    open: State
    closed: State


class Office(msgspec.Struct, kw_only=True):
    name: Annotated[str, Meta(description="One line & <b>no more</b>.", max_length=256, examples=["Lisbon"])]
    ring_seconds: Annotated[int, Meta(ge=10, le=45, description="How long it rings.")] = 30
    hours: Annotated[list[str], Meta(extra_json_schema={"default": ["08:00", "18:00"]})] | None = None
    days: list[Literal["monday", "sunday"]] = []
    routing: Routing | None = None
    labels: dict[str, Options] = {}
    parent: Optional["Office"] = None
    rule: Annotated[str, Meta(max_length=1024, extra_json_schema={"x-offhook-rule": "single line"})] | None = None


class Created(msgspec.Struct):
    id: Int64Text
    office: Office


class Filter(msgspec.Struct):
    state: Annotated[Literal["active", "pending"], Meta(description="Which state.")]
    cursor: str | None = None


async def answer(call: Call) -> Reply:
    raise NotImplementedError


BODY = {"name": "The Baker's", "ring_seconds": 12}
OPERATIONS = [
    Operation(
        id="offices.list",
        method="GET",
        path="/api/v2/companies/{company_id}/offices",
        summary="List offices",
        handler=answer,
        tag="Offices",
        query=Filter,
        reply=list[Created],
        scope="offices:read",
    ),
    Operation(
        id="offices.create",
        method="POST",
        path="/api/v2/offices",
        summary="Create an office",
        description="First <script>alert(1)</script> words.\n\n- a list with `code`\n- of two",
        handler=answer,
        tag="Offices",
        limit=Limit(1, 300),
        body=Office,
        reply=Created,
        creates=True,
        examples={"A bakery": BODY, "Another": {"name": "B"}},
    ),
    Operation(
        id="offices.import",
        method="POST",
        path="/api/offhook/v1/offices/import",
        summary="Import offices",
        handler=answer,
        media=("application/x-ndjson", "text/csv"),
    ),
]
DOCUMENT = document(OPERATIONS, title="Offhook & Sons", version="1", tags={"Offices": "Where people work."})


class Page(HTMLParser):
    """What a page holds, gathered in one pass: table rows by id, attributes, links, and texts of chosen elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: dict[str, dict[str, str]] = {}
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.tags: set[str] = set()
        self.scripts: list[str] = []
        self.commands: list[str] = []
        self._row: dict[str, str] | None = None
        self._cell = ""
        self._command = False
        self._inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside.append(tag)
        self.tags.add(tag)
        self.attributes |= set(given)
        if "id" in given:
            self.ids.append(given["id"] or "")
        self.links += [given[name] or "" for name in ("href", "src") if name in given]
        if tag == "tr" and "id" in given:
            self._row = self.rows[given["id"] or ""] = {}
        elif tag == "td":
            self._cell = given.get("class") or ""
        elif tag == "pre":
            self._command = (given.get("aria-label") or "").startswith("Command")
            if self._command:
                self.commands.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass
        if tag == "tr":
            self._row = None

    def handle_data(self, data: str) -> None:
        if self._row is not None and "td" in self._inside:
            self._row[self._cell] = " ".join((self._row.get(self._cell, "") + data).split(" "))
        if self._inside[-1:] == ["script"]:
            self.scripts.append(data)
        if self._inside[-2:] == ["pre", "code"] and self._command:
            self.commands[-1] += data


SOURCES = {path: source.decode() for path, source in render(DOCUMENT).items()}
PAGES = {path: Page(source) for path, source in SOURCES.items()}
HTML = "".join(SOURCES.values())
ROWS = {anchor: cells for page in PAGES.values() for anchor, cells in page.rows.items()}
COMMANDS = [command for page in PAGES.values() for command in page.commands]
LINKS = [link for page in PAGES.values() for link in page.links]
OFFICES, OTHER = f"{HOME}/offices", f"{HOME}/other"


def row(anchor: str) -> dict[str, str]:
    return {cell: " ".join(text.split()) for cell, text in ROWS[anchor].items()}


def test_there_is_a_page_for_each_tag_and_one_that_lists_all() -> None:
    assert list(PAGES) == [HOME, OFFICES, OTHER]
    for operation in ("offices.list", "offices.create", "offices.import"):
        assert operation in PAGES[HOME].ids, "where links to the one page of old lead"
    assert f"{OFFICES}#offices.create" in PAGES[HOME].links
    assert "offices.create.body.name" in PAGES[OFFICES].rows
    assert "offices.create.body.name" not in {**PAGES[HOME].rows, **PAGES[OTHER].rows}


def test_every_page_leads_to_every_operation_and_to_the_pages_beside_it() -> None:
    everywhere = {f"{OFFICES}#offices.list", f"{OFFICES}#offices.create", f"{OTHER}#offices.import"}
    for page in PAGES.values():
        assert everywhere <= set(page.links)
    assert f'<a href="{OTHER}" rel="next">' in SOURCES[OFFICES]
    assert f'<a href="{OFFICES}" rel="prev">' in SOURCES[OTHER]


def test_the_list_of_operations_is_folded_until_it_is_asked_for() -> None:
    for source in SOURCES.values():
        navigation = source.split("<nav ")[1].split("</nav>")[0]
        assert '<details class="menu">' in navigation
        assert navigation.index("<details") < navigation.index("<summary>All operations</summary>")
        assert navigation.index("<summary>") < navigation.index("data-words")
    assert len(re.findall(r"<ul hidden>", SOURCES[OFFICES])) == 1, (
        "operations of other pages are listed when looked for"
    )


OFFICE_FIELDS = """
    name ring_seconds hours[] days[] rule parent
    routing routing.open routing.open.action routing.open.dtmf[] routing.open.dtmf[].input
    routing.open.dtmf[].options routing.open.dtmf[].options.action routing.open.dtmf[].options.action_target_id
    routing.closed routing.closed.action routing.closed.dtmf[] routing.closed.dtmf[].input
    routing.closed.dtmf[].options routing.closed.dtmf[].options.action routing.closed.dtmf[].options.action_target_id
    labels labels.* labels.*.action labels.*.action_target_id
""".split()


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("offices.create.body.", OFFICE_FIELDS),
        ("offices.create.reply.", ["id", "office", *(f"office.{name}" for name in OFFICE_FIELDS)]),
        ("offices.create.header.", ["Content-Type", "Idempotency-Key", "Offhook-Dry-Run", "Offhook-Clock"]),
        ("offices.create.reply-header.", ["Offhook-Warning", "X-Request-Id"]),
        ("offices.list.path.", ["company_id"]),
        ("offices.list.query.", ["state", "cursor"]),
        (
            "error-form.",
            ["error", "error.code", "error.message", "error.errors[]"]
            + [f"error.errors[].{n}" for n in ("domain", "reason", "message", "locationType", "location", "sent")],
        ),
    ],
)
def test_every_field_has_a_row_with_its_dotted_name(prefix: str, names: list[str]) -> None:
    shown = [row(anchor)["name"] for anchor in ROWS if anchor.startswith(prefix)]
    assert sorted(shown) == sorted(names)


def test_a_list_as_a_reply_shows_the_fields_of_its_members() -> None:
    shown = [row(anchor)["name"] for anchor in ROWS if anchor.startswith("offices.list.reply.")]
    assert shown[:4] == ["[]", "[].id", "[].office", "[].office.name"]


@pytest.mark.parametrize(
    ("anchor", "kind", "required"),
    [
        ("offices.create.body.name", "String", "Yes"),
        ("offices.create.body.ring_seconds", "Integer", "No"),
        ("offices.create.body.hours*", "Array of String", "No"),
        ("offices.create.body.routing", "Object", "No"),
        ("offices.create.body.routing.open", "Object", "Yes"),
        ("offices.create.body.routing.open.dtmf*", "Array of Object", "No"),
        ("offices.create.body.routing.open.dtmf*.options.action_target_id", "Integer", "No"),
        ("offices.create.header.Content-Type", "String", "Yes"),
        ("offices.list.query.state", "String", "Yes"),
        ("offices.list.path.company_id", "Integer (int64)", "Yes"),
    ],
)
def test_a_row_tells_the_type_and_whether_the_field_is_required(anchor: str, kind: str, required: str) -> None:
    assert (row(anchor)["type"], row(anchor)["required"]) == (kind, required)


@pytest.mark.parametrize(
    ("anchor", "about"),
    [
        ("offices.create.body.name", "One line & <b>no more</b>. at most 256 characters Example Lisbon"),
        ("offices.create.body.ring_seconds", "How long it rings. 10 to 45 Default 30"),
        ("offices.create.body.hours*", 'Default ["08:00", "18:00"]'),
        ("offices.create.body.days*", "Possible values monday sunday Default []"),
        ("offices.create.body.routing", "Where calls go."),
        ("offices.create.body.routing.open.action", "Possible values menu voicemail"),
        ("offices.create.body.routing.open.dtmf*.input", "The key. matches ^[0-9]$"),
        ("offices.create.body.routing.open.dtmf*.options.action", "What happens. Possible values menu voicemail"),
        ("offices.create.body.rule", "single line"),
        ("offices.create.header.Content-Type", 'The media type of the request body. Default "application/json"'),
        (
            "offices.import.header.Content-Type",
            "The media type of the request body. Possible values application/x-ndjson text/csv",
        ),
    ],
)
def test_a_row_tells_what_the_field_means_and_allows(anchor: str, about: str) -> None:
    assert row(anchor)["about"] == about


def test_every_refusal_of_an_operation_is_listed() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            section = HTML.split(f'id="{operation["operationId"]}.refusals"')[1].split("</table>")[0]
            codes = re.findall(r"<td>(\d{3})</td>", section)
            assert codes == [code for code in operation["responses"] if code != "200"], path


def test_limits_and_scopes_are_shown_in_words() -> None:
    assert "1200 per minute" in HTML
    assert "1 per 5 minutes" in HTML
    assert "<code>offices:read</code>" in HTML


def test_the_page_asks_nothing_of_any_other_host() -> None:
    assert LINKS
    assert [link for link in LINKS if not re.match(r"#|/(?!/)|data:,$", link)] == []
    for asset in ASSETS:
        assert not re.search(rb"https?:|url\(|@import|import\s*\(|fetch\(", asset.content), asset.name


def test_a_strict_content_security_policy_holds() -> None:
    for page in PAGES.values():
        assert "".join(page.scripts).strip() == ""
        assert "style" not in page.attributes | page.tags
        assert [name for name in page.attributes if name.startswith("on")] == []


def test_texts_cannot_become_markup() -> None:
    assert "<script>alert" not in HTML
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in HTML
    assert "<b>no more</b>" not in HTML
    assert "<h1>Offhook &amp; Sons API reference</h1>" in HTML


def test_descriptions_have_paragraphs_lists_and_code() -> None:
    assert "<li>a list with <code>code</code></li><li>of two</li>" in HTML


def test_every_anchor_is_on_a_page_once_and_every_link_leads_to_one() -> None:
    for path, page in PAGES.items():
        assert len(page.ids) == len(set(page.ids))
        for link in page.links:
            there, _, anchor = link.partition("#")
            if (there or path) in PAGES:
                assert not anchor or anchor in PAGES[there or path].ids, link
        for anchor in page.rows:
            assert f'href="#{anchor}"' in SOURCES[path]
    assert {link.partition("#")[0] for link in LINKS if link.startswith(f"{HOME}/") and ASSET_PATH not in link} == {
        OFFICES,
        OTHER,
    }


def test_the_command_sends_the_example_as_it_is() -> None:
    command = next(command for command in COMMANDS if "/api/v2/offices" in command)
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:4] == ["curl", "-X", "POST", "$OFFHOOK_URL/api/v2/offices"]
    assert "Authorization: Bearer $OFFHOOK_KEY" in words
    assert json.loads(words[words.index("-d") + 1]) == BODY


def test_the_command_names_what_must_be_filled_in() -> None:
    (command,) = [command for command in COMMANDS if "companies" in command]
    assert '"$OFFHOOK_URL/api/v2/companies/COMPANY_ID/offices?state=STATE"' in command


def test_an_operation_is_found_by_the_name_of_a_field_deep_inside() -> None:
    words = re.search(rf'data-words="([^"]*)"><a href="{OFFICES}#offices\.create"', SOURCES[OTHER])
    assert words is not None
    assert {"post", "/api/v2/offices", "action_target_id", "idempotency-key"} <= set(words[1].split())


def test_assets_are_own_files_whose_address_follows_their_content() -> None:
    assert [(asset.name, asset.media.split(";")[0]) for asset in ASSETS] == [
        ("reference.css", "text/css"),
        ("reference.js", "text/javascript"),
    ]
    for asset in ASSETS:
        assert asset.address.startswith(f"{ASSET_PATH}{asset.name}?v=")
        assert all(asset.address in page.links for page in PAGES.values())
        assert asset._replace(content=asset.content + b"\n").address != asset.address


def test_the_same_document_gives_the_same_page() -> None:
    again: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    assert render(again) == render(DOCUMENT)


def test_an_operation_without_a_key_that_answers_202_is_shown_so() -> None:
    """One with no other answer than that, called by who shows something else than a key."""

    async def admit(_: Outside) -> None:
        return None

    called = Operation(
        id="hooks.call",
        method="POST",
        path="/api/offhook/v1/hooks/{id}",
        summary="Call a hook",
        handler=answer,
        admit=admit,
        scope="",
        reply=Created,
        reply_status=202,
        reply_description="It was taken.",
    )
    pages = render(document([called], title="Offhook", version="1"))
    page = next(source.decode() for path, source in pages.items() if path != HOME)
    assert 'id="hooks.call.reply.office.name"' in page
    assert "It was taken." in page
    command = next(one for one in Page(page).commands if "curl" in one)
    assert "Authorization" not in command
