"""Views of sessions, and pages of them."""

from __future__ import annotations

import pytest

from fastrouter.control.sessions import SessionView, page_of

from .fakes import View


def test_times_are_moments():
    view = SessionView.model_validate(View("ses_1", last_ack=None))
    assert view.connected_at.isoformat() == "2023-11-14T22:13:20+00:00"
    assert view.last_ack is None


@pytest.mark.parametrize(("there", "limit", "following"), [(3, 2, "1"), (2, 2, None), (0, 2, None)])
def test_another_page_follows_when_there_is_more(there, limit, following):
    page = page_of([View(str(n)) for n in range(there)][: limit + 1], limit)
    assert [view.id for view in page.sessions] == [str(n) for n in range(min(there, limit))]
    assert page.next == following
