"""A problem's answer; where they come from is in test_api.py."""

from __future__ import annotations

import json
from http import HTTPStatus

from fastrouter.control.problem import Problem


def test_the_code_is_the_statuss_name_unless_given():
    plain = Problem(HTTPStatus.NOT_FOUND, "no such thing").answer()
    assert (plain.status_code, json.loads(plain.body)) == (
        404,
        {"code": "NOT_FOUND", "message": "no such thing"},
    )
    own = Problem(HTTPStatus.UNAUTHORIZED, "who?", code="WHO", headers={"X-Y": "z"}).answer()
    assert json.loads(own.body)["code"] == "WHO"
    assert own.headers["x-y"] == "z"
