"""The hundred written queries are a hundred, each with an answer that an operation can be."""

from bench.queries import QUERIES, Query
from offhook.catalog.model import METHODS


def test_there_are_a_hundred_queries_and_none_twice():
    assert len({query.text for query in QUERIES}) == len(QUERIES) == 100


def test_every_answer_names_a_document_a_method_and_a_path():
    for query in QUERIES:
        assert query.right
        for answer in query.right:
            document, method, path = answer.split(" ", 2)
            assert document
            assert method in METHODS
            assert path.startswith("/"), answer


def test_an_answer_may_stand_in_any_edition_of_a_document():
    query = Query("star", ("github.com* PUT /user/starred/{owner}",))
    assert query.answered_by("github.com-ghes", "PUT", "/user/starred/{owner}")
    assert not query.answered_by("gitlab.com", "PUT", "/user/starred/{owner}")
    assert not query.answered_by("github.com", "GET", "/user/starred/{owner}")
    assert not query.answered_by("github.com", "PUT", "/user/starred")
