"""The search finds an operation by any of its words, begun or mistyped, best first, and nobody else's."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from offhook.catalog.documents import store
from offhook.catalog.model import Head
from offhook.catalog.search import index as search_index
from offhook.catalog.search.index import MOST_HITS, Followed, Found, Hit, SearchIndex
from offhook.catalog.search.text import asked, exact_question, kinds, singular, words
from offhook.kit.errors import Unavailable
from offhook.storage.database import Database
from tests.catalog.shelving import AT, OTHER, TENANT, op, put, put_again

SHOP = (
    op("GET", "/v1/customers", "List all customers", key="listCustomers"),
    op("POST", "/v1/customers", "Create a customer", key="createCustomer", words=("loyalty_points",)),
    op("GET", "/v1/customers/{customer}", "Retrieve a customer", key="getCustomer"),
    op("POST", "/v1/customers/{customer}", "Update a customer", key="updateCustomer"),
    op("DELETE", "/v1/customers/{customer}", "Delete a customer", key="deleteCustomer"),
    op("POST", "/v1/refunds", "Create a refund", key="createRefund", tags=("money",)),
    op("GET", "/v1/invoices", "List invoices", description="Sorted by zodiac.", key="listInvoices"),
)
CHAT = (
    op("POST", "/chat.postMessage", key="chat_postMessage", description="Sends a message to a channel."),
    op("GET", "/users.list", key="users_list"),
    op("POST", "/files.upload", "Upload a file", key="files_upload"),
    op("POST", "/v1/old/refunds", "Create a refund", key="oldRefund", deprecated=True),
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SearchIndex]:
    made = SearchIndex(tmp_path / "search")
    yield made
    made.close()


@pytest.fixture
def shelf(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty store where it does not matter of which kind."""
    path = tmp_path / "shelf.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    opened = Database(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture
def stocked(shelf: Database, index: SearchIndex) -> SearchIndex:
    """An index of a shop's API and a chat's."""
    put(shelf, "shop", SHOP, title="Shop API")
    put(shelf, "chatter", CHAT, title="Chatter Web API")
    index.follow(shelf)
    return index


@pytest.fixture(scope="module")
def small_store(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The same in a store, with what another tenant has; for tests that change nothing."""
    path = tmp_path_factory.mktemp("small") / "offhook.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    put(database, "shop", SHOP, title="Shop API")
    put(database, "chatter", CHAT, title="Chatter Web API")
    put(database, "hidden", [op("GET", "/secrets", "A secret")], OTHER)
    yield database
    database.close()


@pytest.fixture(scope="module")
def small(small_store: Database) -> Iterator[SearchIndex]:
    """The index of it."""
    made = SearchIndex()
    made.follow(small_store)
    yield made
    made.close()


def keys(hits: Iterable[Hit]) -> list[str]:
    return [hit.key for hit in hits]


def found(index: SearchIndex, text: str, tenant_id: int = TENANT) -> list[str]:
    return keys(index.search(tenant_id, text))


# What is found first


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("shop create customer", "createCustomer"),
        ("create customer", "createCustomer"),
        ("new customer", "createCustomer"),
        ("list customers", "listCustomers"),
        ("remove customer", "deleteCustomer"),
        ("edit customer", "updateCustomer"),
        ("refund", "createRefund"),
        ("chatter message", "chat_postMessage"),
        ("chatter post message", "chat_postMessage"),
        ("postmessage", "chat_postMessage"),
        ("post message", "chat_postMessage"),
        ("chat send message", "chat_postMessage"),
        ("loyalty points", "createCustomer"),
        ("loyalty_points", "createCustomer"),
        ("money", "createRefund"),
        ("zodiac", "listInvoices"),
        ("POST refunds", "createRefund"),
        ("upload a file", "files_upload"),
        ("Réfund", "createRefund"),
    ],
)
def test_an_operation_is_found_by_name_method_path_field_and_words(small: SearchIndex, text: str, first: str):
    assert found(small, text)[0] == first


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("updateCustomer", "updateCustomer"),
        ("UPDATECUSTOMER", "updateCustomer"),
        ("users_list", "users_list"),
        ("/v1/customers/{id}", "getCustomer"),
        ("/customers", "listCustomers"),
        ("GET /v1/customers", "listCustomers"),
        ("post   /v1/customers/", "createCustomer"),
        ("delete /v1/customers/{customer_id}", "deleteCustomer"),
    ],
)
def test_a_whole_key_or_path_wins(small: SearchIndex, text: str, first: str):
    hits = small.search(TENANT, text)
    assert hits[0].key == first or hits[0].path == "/v1/customers/{customer}" == text.replace("{id}", "{customer}")
    rest = [hit for hit in hits if hit.path != hits[0].path]
    assert all(hit.score < hits[0].score / 2 for hit in rest)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("shop craete custmer", "createCustomer"),
        ("refnud", "createRefund"),
        ("chater post mesage", "chat_postMessage"),
        ("invoces", "listInvoices"),
        ("uplaod file", "files_upload"),
        ("delete cutsomers", "deleteCustomer"),
        ("loyalti", "createCustomer"),
        ("loyalty pionts", "createCustomer"),
        ("moey", "createRefund"),
    ],
)
def test_typing_errors_are_forgiven(small: SearchIndex, text: str, first: str):
    assert found(small, text)[0] == first


def test_short_words_are_taken_as_they_are_typed(small: SearchIndex):
    assert found(small, "fle ") == []
    assert found(small, "file ") == ["files_upload"]


@pytest.mark.parametrize("text", ["ref", "refu", "refun", "refund", "refunds", "shop refu"])
def test_results_come_as_one_types(small: SearchIndex, text: str):
    assert found(small, text)[0] == "createRefund"


def test_only_the_last_word_may_be_begun(small: SearchIndex):
    assert found(small, "re") != []
    assert found(small, "re ") == []


def test_what_is_deprecated_comes_later(small: SearchIndex):
    assert found(small, "create a refund")[:2] == ["createRefund", "oldRefund"]


def test_words_too_many_do_not_hide_what_most_of_them_name(small: SearchIndex):
    assert found(small, "shop refund xylophone")[0] == "createRefund"
    assert found(small, "xylophone") == []


def test_a_word_that_is_nowhere_does_not_hide_the_hits_of_the_others(small: SearchIndex):
    for text in ("refund xyzzyq", "xyzzyq refund", "refund to the xyzzyq money", "create refund xyzzyq"):
        got = small.find(TENANT, text)
        assert got.hits[0].key == "createRefund", text
        assert got.without == ("xyzzyq",)
    assert small.find(TENANT, "refund money").without == ()
    assert small.find(TENANT, "shop craete custmer").without == ()
    assert small.find(TENANT, "xyzzyq plughq") == Found([])
    # What another tenant has is nowhere, too.
    assert small.find(TENANT, "refund secret").without == ("secret",)


def test_a_hit_says_what_and_why(small: SearchIndex):
    hit = small.search(TENANT, "shop create refund")[0]
    assert (hit.api, hit.title, hit.method, hit.path) == ("shop", "Shop API", "POST", "/v1/refunds")
    assert hit.summary == "Create a refund"
    assert hit.why == "API: shop; name: create; path: refund"
    assert not hit.built_in
    scores = [each.score for each in small.search(TENANT, "create")]
    assert scores == sorted(scores, reverse=True)


def test_it_can_be_narrowed_down(small: SearchIndex):
    assert {hit.api for hit in small.search(TENANT, "create refund", api="chatter")} == {"chatter"}
    assert keys(small.search(TENANT, "customer", method="delete")) == ["deleteCustomer"]
    assert small.search(TENANT, "customer", api="nothing") == []


# Whose


def test_nobody_finds_what_another_tenant_has(small: SearchIndex):
    assert found(small, "secret") == found(small, "secrets", 99) == []
    assert found(small, "secret", OTHER) == ["get-secrets"]
    assert small.search(TENANT, "secret", api="hidden") == []


def test_built_in_documents_are_everybodys(shelf: Database, index: SearchIndex):
    put(shelf, "offhook", [op("POST", "/api/v2/offices", "Create an office")], store.BUILT_IN)
    put(shelf, "offhook", [op("GET", "/offices", "My own")])
    index.follow(shelf)
    assert [hit.built_in for hit in index.search(OTHER, "offices")] == [True]
    assert {hit.built_in for hit in index.search(TENANT, "offices")} == {True, False}
    assert index.search(OTHER, "post offices")[0].path == "/api/v2/offices"


# Following the store


def test_a_new_version_takes_the_place_of_the_last_one(database: Database, index: SearchIndex):
    api = put(database, "shop", [op("GET", "/apples")])
    assert index.follow(database) == Followed(1, 0, 1)
    assert index.follow(database) == Followed()
    put_again(database, api, [op("GET", "/pears"), op("GET", "/plums")])
    assert found(index, "apples") == ["get-apples"]
    assert index.follow(database) == Followed(1, 1, 2)
    assert (found(index, "apples"), found(index, "pears")) == ([], ["get-pears"])


def test_a_deleted_document_is_found_no_more(database: Database, index: SearchIndex):
    api = put(database, "shop", [op("GET", "/apples")])
    put(database, "other", [op("GET", "/apples")])
    index.follow(database)
    with database.transaction() as tx:
        store.delete(tx, api, AT + 1)
    assert index.follow(database) == Followed(0, 1, 0)
    assert [hit.api for hit in index.search(TENANT, "apples")] == ["other"]


def test_a_document_is_found_by_its_new_name(shelf: Database, index: SearchIndex):
    api = put(shelf, "shop", [op("GET", "/apples")], title="Fruit")
    index.follow(shelf)
    with shelf.transaction() as tx:
        store.update(tx, msgspec.structs.replace(api, name="orchard"))
    index.follow(shelf)
    assert (found(index, "orchard"), found(index, "shop")) == (["get-apples"], [])


def test_an_index_is_taken_up_again_by_the_next_process(shelf: Database, tmp_path: Path):
    put(shelf, "shop", SHOP)
    first = SearchIndex(tmp_path / "search")
    first.follow(shelf)
    first.close()
    second = SearchIndex(tmp_path / "search")
    assert second.follow(shelf) == Followed()
    assert found(second, "refund") == ["createRefund"]
    second.close()


def test_two_processes_write_two_folders(shelf: Database, tmp_path: Path):
    put(shelf, "shop", SHOP)
    both = [SearchIndex(tmp_path / "search") for _ in range(2)]
    assert [one.follow(shelf).came for one in both] == [1, 1]
    assert [found(one, "refund") for one in both] == [["createRefund"]] * 2
    for one in both:
        one.close()
    assert {path.name for path in (tmp_path / "search").iterdir()} == {"0", "1", "0.lock", "1.lock"}


def test_an_index_without_a_folder_goes_with_its_process(shelf: Database):
    put(shelf, "shop", SHOP)
    index = SearchIndex()
    index.follow(shelf)
    assert found(index, "refund") == ["createRefund"]
    folder = index.folder
    index.close()
    assert not folder.exists()


def test_a_document_of_many_pages_is_indexed_wholly(
    database: Database, index: SearchIndex, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(search_index, "_PAGE", 3)
    monkeypatch.setattr(search_index, "_COMMIT_EVERY", 4)
    put(database, "one", [op("GET", f"/apples/{n}") for n in range(9)])
    put(database, "two", [op("GET", f"/apples/{n}") for n in range(7)])
    assert index.follow(database) == Followed(2, 0, 16)
    assert len(index.search(TENANT, "apples")) == 16


def test_what_was_cut_off_before_its_end_is_indexed_anew(
    shelf: Database, index: SearchIndex, monkeypatch: pytest.MonkeyPatch
):
    put(shelf, "shop", SHOP)

    def breaking(*_: object) -> Iterator[Head]:
        yield SHOP[0]
        raise Unavailable("the store went away")

    with monkeypatch.context() as broken:
        broken.setattr(search_index, "_operations", breaking)
        with pytest.raises(Unavailable):
            index.follow(shelf)
    assert found(index, "customers") == []
    assert index.follow(shelf) == Followed(1, 0, len(SHOP))
    assert len(found(index, "customers")) == 5


# Damage


@pytest.mark.parametrize("what", ["meta", "segments", "format", "missing", "a file", "foreign"])
def test_a_damaged_or_foreign_folder_is_built_anew(shelf: Database, tmp_path: Path, what: str):
    put(shelf, "shop", SHOP)
    first = SearchIndex(tmp_path / "search")
    first.follow(shelf)
    folder = first.folder
    first.close()
    if what == "meta":
        (folder / "meta.json").write_bytes(b"{")
    elif what == "segments":
        for path in folder.iterdir():
            if path.suffix not in (".json", ".lock", ""):
                path.write_bytes(b"\0" * 10)
    elif what == "format":
        (folder / "format").write_text("0")
    elif what == "missing":
        (folder / "meta.json").unlink()
    else:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        if what == "a file":
            folder.write_bytes(b"no folder")
        else:
            folder.mkdir()
            (folder / "letter.txt").write_text("not ours")
    second = SearchIndex(tmp_path / "search")
    assert second.follow(shelf) == Followed(1, 0, len(SHOP))
    assert found(second, "refund") == ["createRefund"]
    second.close()


@pytest.mark.parametrize("suffix", [".idx", ".term", ".store", ".fast", ".fieldnorm"])
def test_damage_that_shows_only_later_is_mended_by_following(small_store: Database, tmp_path: Path, suffix: str):
    first = SearchIndex(tmp_path / "search")
    first.follow(small_store)
    folder = first.folder
    first.close()
    for path in folder.glob(f"*{suffix}"):
        whole = path.read_bytes()
        path.write_bytes(b"\1" * max(0, len(whole) - 130) + whole[-130:])
    second = SearchIndex(tmp_path / "search")
    try:
        for text in ("shop refund", "rfund"):
            with suppress(Unavailable):
                second.search(TENANT, text)
            second.follow(small_store)
        if suffix != ".fieldnorm":
            assert found(second, "refund ")[:1] == ["createRefund"]
    finally:
        second.close()


def test_a_folder_that_vanishes_meanwhile_is_made_again(shelf: Database, index: SearchIndex):
    put(shelf, "shop", SHOP)
    index.follow(shelf)
    for path in index.folder.iterdir():
        path.unlink()
    put(shelf, "chatter", CHAT)
    index.follow(shelf)
    assert found(index, "refund") == ["createRefund", "oldRefund"]
    assert found(index, "chatter upload")[0] == "files_upload"


# Hostile questions

HOSTILE = [
    "",
    "   ",
    "*",
    '+-&|!(){}[]^"~*?:\\/',
    'title:"secret" OR tenant:12',
    "tenant:[* TO *]",
    "refund AND NOT (",
    "refund^1e308",
    "/.*/",
    "\0",
    "\ud800",
    "a" * 100_000,
    "refund " * 5_000,
    "{}" * 200,
    "𝓻𝓮𝓯𝓾𝓷𝓭 ｒｅｆｕｎｄ",
    "\u202ednufer",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "ﬀ" * 256,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_signs_in_a_question_do_no_harm(small: SearchIndex, text: str):
    hits = small.search(TENANT, text)
    assert len(hits) <= 20
    assert not {hit.api for hit in hits} - {"shop", "chatter"}


@pytest.mark.parametrize("odd", ["\0", "\ud800", "\u202e", "<b>", "x" * 70_000, "é" * 70_000, "a " * 40_000])
def test_an_odd_document_keeps_nobody_from_being_found(shelf: Database, index: SearchIndex, odd: str):
    head = op("GET", f"/{odd}", odd, tags=(odd,) * 50, words=(odd,), description=odd, key=f"k{odd[:9]}")
    put(shelf, "odd", [head], OTHER, title=odd)
    put(shelf, "shop", SHOP)
    assert index.follow(shelf) == Followed(2, 0, 1 + len(SHOP))
    assert found(index, "refund") == ["createRefund"]
    assert [hit.api for hit in index.search(OTHER, "odd")] == ["odd"]


def test_signs_are_left_out_of_a_question(small: SearchIndex):
    assert found(small, '"refund" +create (shop:*)') == found(small, "refund create shop")


def test_how_much_is_asked_for_is_bounded(small: SearchIndex):
    assert small.search(TENANT, "customer", 0) == small.search(TENANT, "customer", -5) == []
    assert len(small.search(TENANT, "customer", 2)) == 2
    assert len(small.search(TENANT, "customer", 10**9)) <= MOST_HITS
    assert found(small, "q " * 200 + "refund") == []


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
@example("\ud800refund")
def test_any_text_can_be_asked(small: SearchIndex, text: str):
    assert not {hit.api for hit in small.search(TENANT, text)} - {"shop", "chatter"}


def test_it_is_searched_while_it_changes(shelf: Database, stocked: SearchIndex):
    wrong: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            if found(stocked, "shop refund")[:1] != ["createRefund"]:
                wrong.append("lost")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for number in range(5):
            put(shelf, f"api-{number}", [op("GET", f"/things/{n}") for n in range(20)])
            stocked.follow(shelf)
    finally:
        stop.set()
        thread.join()
    assert wrong == []
    assert len(stocked.search(TENANT, "things", 100)) == 100


# Words


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("chat.postMessages", ["chat", "post", "message", "postmessage"]),
        ("/api/v2/offices/{id}", ["api", "v2", "office", "id"]),
        ("get_HTTPServer_2x", ["get", "http", "server", "httpserver", "2x"]),
        ("Création d’un café", ["creation", "d", "un", "cafe"]),
        ("", []),
        ("--", []),
    ],
)
def test_compounds_are_taken_apart(text: str, parts: list[str]):
    assert words(text) == parts


def test_words_are_bounded():
    assert len(words("a b c " * 1000, 10)) == 10
    assert len(asked("one two three four", 3)) == 3
    assert max(map(len, words("x" * 10_000))) <= 40


@pytest.mark.parametrize(
    ("plural", "one"),
    [("offices", "office"), ("companies", "company"), ("addresses", "address"), ("status", "status"), ("boxes", "box"),
     ("batches", "batch"), ("sms", "sms"), ("access", "access"), ("analysis", "analysis")],
)  # fmt: skip
def test_plurals_are_compared_as_one(plural: str, one: str):
    assert singular(plural) == singular(one) == one


def test_paths_are_compared_without_the_names_of_parameters():
    assert exact_question("GET  /Users/{userId}/") == "get /users/{}"
    assert exact_question("/users/{id}") == "/users/{}"
    assert exact_question("createUser") == "createuser"
    assert kinds("POST", "/users") != kinds("POST", "/users/{id}") == ["update"]
