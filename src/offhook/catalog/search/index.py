"""The index over the operations of all documents: on disk, one a process, made from the store and following it.

It holds nothing that the store does not: a folder that is damaged, or was written by another version of this file, is
thrown away and built anew. Documents of all tenants stand in one index; nothing is found but one's own and the
built-in ones.
"""

import fcntl
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog
import tantivy
from tantivy import Occur, Query

from offhook.catalog.documents import store
from offhook.catalog.documents.store import BUILT_IN, Current
from offhook.catalog.model import METHODS, Head
from offhook.catalog.search.text import (
    SHORT,
    STOP,
    VERBS,
    asked,
    exact_forms,
    exact_question,
    joined,
    kind_of,
    kinds,
    without_parameters,
    words,
)
from offhook.kit.errors import Unavailable, shown
from offhook.storage.database import Database

LONGEST_QUESTION = 256
"""Characters of a question that are looked at."""

MOST_WORDS = 12
"""Words of a question that are looked for."""

MOST_HITS = 100
"""The most hits of one answer."""

_FORMAT = "1"
_HEAP = 48_000_000
_PAGE = 2_000
_COMMIT_EVERY = 40_000
_LONGEST_FORM = 500
_FOLDERS = 64
_MOST_VERSIONS = 1_000_000
_MOST_TAGS, _LONGEST_SUMMARY = 20, 300
_log = structlog.get_logger()


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that was found: `api` is its document's name, `title` its title; `why` says where the words stand.

    `built_in` tells a document of everybody from one's own, which may have the same name.
    """

    api: str
    key: str
    method: str
    path: str
    summary: str
    title: str
    score: float
    why: str
    built_in: bool = False


class Found(msgspec.Struct, frozen=True):
    """What was found. `without` are words that are found nowhere: the hits are those of the others."""

    hits: list[Hit]
    without: tuple[str, ...] = ()


class Followed(msgspec.Struct, frozen=True):
    """What following the store changed: versions that came, versions that went, operations indexed."""

    came: int = 0
    went: int = 0
    operations: int = 0


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """What the index gives back of an operation."""

    api: str
    key: str
    method: str
    path: str
    summary: str
    title: str
    tags: tuple[str, ...]
    built_in: bool


# By field, what a word that stands there counts.
_WEIGHTS = {"name": 3.0, "path": 1.7, "key": 1.5, "summary": 1.5, "tags": 0.8, "words": 0.25, "text": 0.5}
_SECOND_NAME = 0.5
_OF_KIND = 1.6
_OF_METHOD = 1.0
_EXACT = 100.0
_MISTYPED_FIELD = 0.6


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("tenant", indexed=True)
    builder.add_unsigned_field("version", indexed=True)
    builder.add_unsigned_field("marker", indexed=True)
    for field in ("api", "method", "exact"):
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("kinds", tokenizer_name="whitespace", index_option="basic")
    for field in (*_WEIGHTS, "all"):
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    builder.add_float_field("weight", fast=True)
    builder.add_bytes_field("stored", stored=True)
    return builder.build()


class _Damaged(Exception):
    """The folder does not hold what was written there."""


@contextmanager
def _noticing_damage() -> Iterator[None]:
    """Whatever the library makes of damaged files, as one error; its panics are no Exception, of no public name."""
    try:
        yield
    except (OSError, ValueError, KeyError, IndexError, msgspec.MsgspecError) as error:
        raise _Damaged(str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _Damaged(str(error)) from error


class SearchIndex:
    """One process's index. Safe to share between threads; `follow` is done by one at a time."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open the index in a free folder below `folder`, or make it; without one it goes with the process."""
        self._temporary = tempfile.TemporaryDirectory(prefix="offhook-search-") if folder is None else None
        root = Path(self._temporary.name) if self._temporary else folder
        assert root is not None
        self._place, self._handle = _leased(root)
        self._schema = _schema()
        self._changing = threading.Lock()
        self._damaged = False
        self._open()

    def close(self) -> None:
        """Leave the folder to the next process."""
        os.close(self._handle)
        if self._temporary is not None:
            self._temporary.cleanup()

    def _open(self) -> None:
        """The index that is in this process's place, or an empty one; all else that is there is removed."""
        self._versions: dict[int, Current] = {}
        if self._place.is_symlink() or self._place.is_file():
            self._place.unlink()
        self._place.mkdir(exist_ok=True, mode=0o700)
        for folder in sorted(self._place.iterdir()):
            try:
                with _noticing_damage():
                    if (folder / "format").read_text() != _FORMAT:
                        raise ValueError("it is of another format")
                    self._index = tantivy.Index.open(str(folder))
                    self._versions = self._markers()
            except _Damaged as error:
                _log.warning("search_index_thrown_away", reason=shown(str(error)))
            else:
                self.folder = folder
                self._remove_others()
                return
        self._begin_anew()

    def _begin_anew(self) -> None:
        """An empty index, in a folder of its own: what still writes the old one must not write into the new one."""
        self.folder = self._place / secrets.token_hex(8)
        self.folder.mkdir(mode=0o700)
        self._index = tantivy.Index(self._schema, path=str(self.folder), reuse=False)
        (self.folder / "format").write_text(_FORMAT)
        self._versions = {}
        self._damaged = False
        self._remove_others()

    def _remove_others(self) -> None:
        for other in self._place.iterdir():
            if other.is_symlink() or not other.is_dir():
                other.unlink()
            elif other != self.folder:
                # What cannot be removed yet is removed at the next start.
                shutil.rmtree(other, ignore_errors=True)

    def _markers(self) -> dict[int, Current]:
        """The versions that are indexed wholly."""
        searcher = self._index.searcher()
        query = Query.term_query(self._schema, "marker", 1)
        most = max(1, min(searcher.num_docs, _MOST_VERSIONS))
        found = (searcher.doc(address)["stored"][0] for _, address in searcher.search(query, most).hits)
        listed = [msgspec.json.decode(bytes(one), type=Current) for one in found]
        return {one.version_id: one for one in listed}

    # Following the store

    def follow(self, database: Database) -> Followed:
        """Bring the index to what the store has now. Cheap when nothing changed; a version is there wholly or not."""
        with self._changing:
            if self._damaged:
                self._begin_anew()
            try:
                with _noticing_damage():
                    return self._follow(database)
            except _Damaged as error:
                # Whatever the folder has become, the store has it all.
                _log.warning("search_index_thrown_away", reason=shown(str(error)))
                self._begin_anew()
                return self._follow(database)

    def _follow(self, database: Database) -> Followed:
        with database.reading() as tx:
            wanted = {one.version_id: one for one in store.current(tx)}
        gone = [id for id, one in self._versions.items() if wanted.get(id) != one]
        new = [one for id, one in wanted.items() if self._versions.get(id) != one]
        if not gone and not new:
            return Followed()
        writer: tantivy.IndexWriter = self._index.writer(heap_size=_HEAP, num_threads=1)
        after = dict(self._versions)
        for id in gone:
            writer.delete_documents_by_query(self._term("version", id))
            del after[id]
        total, uncommitted = 0, 0
        for one in new:
            count = 0
            for head in _operations(database, one):
                writer.add_document(self._document(one, head))
                count += 1
            writer.add_document(self._marker(one))
            after[one.version_id] = one
            total, uncommitted = total + count, uncommitted + count
            if uncommitted >= _COMMIT_EVERY:
                self._commit(writer, after)
                uncommitted = 0
        self._commit(writer, after)
        writer.wait_merging_threads()
        self._index.reload()
        return Followed(len(new), len(gone), total)

    def _commit(self, writer: tantivy.IndexWriter, versions: dict[int, Current]) -> None:
        writer.commit()
        self._index.reload()
        self._versions = dict(versions)

    def _marker(self, one: Current) -> tantivy.Document:
        document = tantivy.Document()
        document.add_unsigned("version", one.version_id)
        document.add_unsigned("marker", 1)
        document.add_bytes("stored", msgspec.json.encode(one))
        return document

    def _document(self, one: Current, head: Head) -> tantivy.Document:
        stored = _Stored(
            api=one.name,
            key=head.key,
            method=head.method,
            path=head.path,
            summary=head.summary[:_LONGEST_SUMMARY],
            title=one.title[:_LONGEST_SUMMARY],
            tags=tuple(_clean(tag[:_LONGEST_SUMMARY]) for tag in head.tags[:_MOST_TAGS]),
            built_in=one.tenant_id == BUILT_IN,
        )
        fields = {
            "name": joined((one.name, one.title), 40),
            "path": joined((without_parameters(head.path),), 60),
            "key": joined((head.key,), 40),
            "summary": joined((head.summary,), 60),
            "tags": joined(head.tags, 40),
            "words": joined((head.path, *head.words), 400),
            "text": joined((head.description,), 120),
        }
        document = tantivy.Document()
        document.add_unsigned("tenant", one.tenant_id)
        document.add_unsigned("version", one.version_id)
        document.add_text("api", one.name)
        document.add_text("method", head.method)
        document.add_text("kinds", " ".join(kinds(head.method, head.path)))
        for form in exact_forms(head.key, head.method, head.path):
            document.add_text("exact", form[:_LONGEST_FORM])
        for field, text in fields.items():
            document.add_text(field, text)
        short = (fields[field] for field in ("name", "path", "key", "summary", "tags"))
        document.add_text("all", joined(short, 240))
        document.add_float("weight", _weight(head))
        document.add_bytes("stored", msgspec.json.encode(stored))
        return document

    # Searching

    def search(
        self, tenant_id: int, text: str, limit: int = 20, *, api: str | None = None, method: str | None = None
    ) -> list[Hit]:
        """The hits of `find`."""
        return self.find(tenant_id, text, limit, api=api, method=method).hits

    def find(
        self, tenant_id: int, text: str, limit: int = 20, *, api: str | None = None, method: str | None = None
    ) -> Found:
        """The operations that fit a text best, best first, at most `limit` (100).

        The text is words, whole, begun (the last one) or mistyped, of the API, path, method, key, summary, tags, fields
        or description. What stands in it means nothing else: there is no syntax. `api` and `method` narrow it down.
        Nothing for a text without a word. Raises Unavailable while a damaged index waits to be built anew.
        """
        text = _clean(text[:LONGEST_QUESTION])
        limit = max(0, min(limit, MOST_HITS))
        question = asked(text, MOST_WORDS)
        if not question or not limit:
            return Found([])

        def narrowed(query: Query) -> Query:
            return self._narrowed(query, tenant_id, api, method)

        try:
            with _noticing_damage():
                searcher = self._index.searcher()
                begun = text[-1:].isalnum()
                found, whole = self._best(searcher, narrowed, text, question, limit, begun=begun)
                if whole:
                    return Found(found)
                nowhere = self._nowhere(searcher, narrowed, question, begun=begun)
                others = [word for word in question if word not in nowhere]
                if nowhere and others and not found:
                    begun = begun and question[-1] not in nowhere
                    found, _ = self._best(searcher, narrowed, " ".join(others), others, limit, begun=begun)
                return Found(found, tuple(nowhere) if found else ())
        except _Damaged as error:
            self._damaged = True
            _log.warning("search_index_damaged", reason=shown(str(error)))
            raise Unavailable("The search is being built anew; try again shortly.") from None

    def _best(
        self,
        searcher: tantivy.Searcher,
        narrowed: Callable[[Query], Query],
        text: str,
        question: list[str],
        limit: int,
        *,
        begun: bool,
    ) -> tuple[list[Hit], bool]:
        """The hits, and whether there is one that has all words."""
        found: list[Hit] = []
        whole = False
        for query, least in self._attempts(text, question, begun=begun):
            # Who finds more finds what was found before as well, scored alike.
            found = _hits(searcher, narrowed(query), limit, question)
            whole = whole or (bool(found) and least == 1)
            if len(found) >= limit:
                break
        return found, whole

    def _nowhere(
        self, searcher: tantivy.Searcher, narrowed: Callable[[Query], Query], question: list[str], *, begun: bool
    ) -> list[str]:
        """The words that must be found and are not, even mistyped."""
        return [
            word
            for at, word in enumerate(question)
            if word not in STOP
            and not kind_of(word)
            and not searcher.search(
                narrowed(self._word(word, (), begun=begun and at == len(question) - 1, lenient=True)), 1
            ).hits
        ]

    def _narrowed(self, query: Query, tenant_id: int, api: str | None, method: str | None) -> Query:
        tenants = [self._term("tenant", id) for id in {tenant_id, BUILT_IN}]
        conditions = [Query.boolean_query([(Occur.Should, one) for one in tenants])]
        if api is not None:
            conditions.append(self._term("api", _clean(api)))
        if method is not None:
            conditions.append(self._term("method", _clean(method.upper())))
        silent = [(Occur.Must, Query.const_score_query(one, 0.0)) for one in conditions]
        return Query.boolean_query([*silent, (Occur.Must, query)])

    def _attempts(self, text: str, question: list[str], *, begun: bool) -> Iterator[tuple[Query, float]]:
        """The question as it is, then with typing errors allowed, then with words left out; with the part of them that
        must be there."""
        for lenient in (False, True):
            yield self._asking(text, question, begun, lenient=lenient, least=1.0), 1.0
        if len(question) > 2:
            yield self._asking(text, question, begun, lenient=True, least=0.6), 0.6

    def _asking(self, text: str, question: list[str], begun: bool, *, lenient: bool, least: float) -> Query:
        needed: list[Query] = []
        helpful: list[Query] = []
        for at, word in enumerate(question):
            neighbours = {"".join(question[i : i + 2]) for i in (at - 1, at) if i >= 0 and i + 2 <= len(question)}
            last = begun and at == len(question) - 1
            query = self._word(word, neighbours, begun=last, lenient=lenient)
            kind = kind_of(word)
            (helpful if word in STOP or kind else needed).append(query)
            if kind:
                helpful.append(_worth(self._term("kinds", kind), _OF_KIND))
            if word.upper() in METHODS:
                helpful.append(_worth(self._term("method", word.upper()), _OF_METHOD))
        if not needed:
            needed, helpful = helpful, []
            least = 0.0
        enough = max(1, round(len(needed) * least))
        must = Query.boolean_query([(Occur.Should, one) for one in needed], minimum_number_should_match=enough)
        exact = _worth(self._term("exact", exact_question(text)[:_LONGEST_FORM]), _EXACT)
        words_found = Query.boolean_query([(Occur.Must, must), *((Occur.Should, one) for one in helpful)])
        return Query.boolean_query([(Occur.Should, words_found), (Occur.Should, exact)])

    def _word(self, word: str, neighbours: Iterable[str], *, begun: bool, lenient: bool) -> Query:
        """Where a word may stand, the best place counting."""
        places = list(self._in_fields(word, 1.0))
        for other in _second_names(word):
            places += self._in_fields(other, _SECOND_NAME)
        for pair in neighbours:
            places += [Query.boost_query(self._term(field, pair), _WEIGHTS[field]) for field in ("name", "path", "key")]
        if (begun and len(word) > 1) or (lenient and len(word) > 3):
            for field, worth in (("name", 5.0), ("all", 2.5)):
                query = Query.fuzzy_term_query(self._schema, field, word, distance=0, prefix=True)
                places.append(_worth(query, worth))
        distance = (len(word) >= 4) + (len(word) >= 8)
        if lenient and distance:
            for field, worth in (("name", 8.0), ("all", 3.0)):
                query = Query.fuzzy_term_query(self._schema, field, word, distance=distance, prefix=begun)
                places.append(_worth(query, worth / distance))
            query = Query.fuzzy_term_query(self._schema, "words", word, distance=1, prefix=False)
            places.append(_worth(query, _MISTYPED_FIELD))
        return Query.disjunction_max_query(places, tie_breaker=0.2)

    def _in_fields(self, word: str, worth: float) -> Iterator[Query]:
        for field, weight in _WEIGHTS.items():
            yield Query.boost_query(self._term(field, word), weight * worth)

    def _term(self, field: str, value: Any) -> Query:
        return Query.term_query(self._schema, field, value, index_option="freq" if field in _WEIGHTS else "basic")


def _clean(text: str) -> str:
    """`text` without what is no Unicode text: halves of surrogate pairs."""
    return text.encode("utf-8", "ignore").decode()


def _worth(query: Query, score: float) -> Query:
    return Query.const_score_query(query, score)


def _second_names(word: str) -> list[str]:
    kind = kind_of(word)
    names = [one for one in VERBS.get(kind, ()) if one != word]
    return [*names, SHORT[word]] if word in SHORT else names


def _weight(head: Head) -> float:
    """How much an operation counts for: the less the deeper its path; what is deprecated less again."""
    depth = head.path.count("/")
    return 1 / (1 + 0.03 * depth) * (0.8 if head.deprecated else 1.0)


def _operations(database: Database, one: Current) -> Iterator[Head]:
    after = 0
    while True:
        with database.reading() as tx:
            page = store.heads(tx, one.tenant_id, one.version_id, after, _PAGE)
        yield from (head for _, head in page)
        if len(page) < _PAGE:
            return
        after = page[-1][0]


def _hits(searcher: tantivy.Searcher, query: Query, limit: int, question: list[str]) -> list[Hit]:
    found = searcher.search(query, limit, count=False, weight_by_field="weight").hits
    documents = ((score, bytes(searcher.doc(address)["stored"][0])) for score, address in found)
    return [_hit(msgspec.json.decode(stored, type=_Stored), score, question) for score, stored in documents]


def _hit(stored: _Stored, score: float, question: list[str]) -> Hit:
    return Hit(
        api=stored.api,
        key=stored.key,
        method=stored.method,
        path=stored.path,
        summary=stored.summary,
        title=stored.title,
        score=score,
        why=_why(stored, question),
        built_in=stored.built_in,
    )


def _why(stored: _Stored, question: list[str]) -> str:
    """Where the words stand, in the order in which they were asked: `API: stripe; path: customer`."""
    places = {
        "API": words(f"{stored.api} {stored.title}"),
        "path": words(stored.path),
        "name": words(stored.key),
        "summary": words(stored.summary),
        "tags": words(" ".join(stored.tags)),
        "method": [stored.method.lower()],
    }
    found: dict[str, list[str]] = {}
    for word in question:
        for place, there in places.items():
            if any(one == word or (len(word) > 1 and one.startswith(word)) for one in there):
                found.setdefault(place, []).append(word)
                break
        else:
            if word not in STOP:
                found.setdefault("much like it, or in fields or description", []).append(word)
    return "; ".join(f"{place}: {', '.join(there)}" for place, there in found.items())


def _leased(root: Path) -> tuple[Path, int]:
    """A place below `root` that no other process writes, with the handle that keeps it; as it was left, if it was."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number in range(_FOLDERS):
        handle = os.open(root / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        return root / str(number), handle
    raise Unavailable(f"All {_FOLDERS} folders of search indexes below {root} are in use.")
