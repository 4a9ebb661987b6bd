"""Which path speaks what."""

from __future__ import annotations

import pytest

from fastrouter.errors import ConfigError
from fastrouter.net.route import Route, Routes

TABLE = Routes(
    [Route("/"), Route("/ws"), Route("/jobs/{job_uuid}", "dgbit"), Route("/jobs/all", "botcore")]
)


@pytest.mark.parametrize(
    ("path", "route", "variable"),
    [
        ("/", "/", None),
        ("/ws", "/ws", None),
        ("/jobs/all", "/jobs/all", None),
        ("/jobs/0b-9.Z_~", "/jobs/{job_uuid}", "0b-9.Z_~"),
        ("/jobs/" + "x" * 128, "/jobs/{job_uuid}", "x" * 128),
    ],
)
def test_a_path_and_what_its_variable_stands_for(path, route, variable):
    found = TABLE.find(path)
    assert (found.route.path, found.value) == (route, variable)


@pytest.mark.parametrize(
    "path",
    [
        *("", "ws", "/ws/", "//ws", "/WS", "/jobs", "/jobs/", "/jobs/a/b", "/jobs/a/", "x/jobs/a"),
        *("/jobs/*", "/jobs/a:b", "/jobs/a,b", "/jobs/a%20b", "/jobs/ä", "/jobs/a\n"),
        *("/jobs/{job_uuid}", "/jobs/" + "x" * 129),
    ],
)
def test_other_paths(path):
    assert TABLE.find(path) is None


def test_one_in_the_middle():
    routes = Routes([Route("/jobs/{n}/log.txt")])
    assert routes.find("/jobs/7/log.txt").value == "7"
    assert routes.find("/jobs/7/logxtxt") is None


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ([], "there is no path"),
        (["ws"], "path 'ws'"),
        ([""], "path ''"),
        (["/a b"], "path '/a b'"),
        (["/a?b"], "path '/a?b'"),
        (["/a#b"], "path '/a#b'"),
        (["/x{a}"], "path '/x{a}'"),
        (["/{a}x"], "path '/{a}x'"),
        (["/{a}/{b}"], "path '/{a}/{b}'"),
        (["/{}"], "path '/{}'"),
        (["/{A}"], "path '/{A}'"),
        (["/ws", "/ws"], "a path is there twice: /ws, /ws"),
        (["/{a}", "/{b}"], "a path is there twice"),
    ],
)
def test_what_cannot_be(paths, said):
    with pytest.raises(ConfigError) as caught:
        Routes(map(Route, paths))
    assert str(caught.value).startswith(said)
    assert "allowed: " in str(caught.value) or "twice" in said
