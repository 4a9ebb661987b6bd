"""A position outlives its run when there is a file, and its source in no case."""

from fastrouter.journal.bookmark import Bookmark
from fastrouter.journal.journal import Journal


def test_without_a_file_it_is_of_this_run():
    bookmark = Bookmark("ws://h")
    assert bookmark.position is None
    bookmark.position = 7
    assert bookmark.position == 7


def test_with_a_file_it_is_found_again(tmp_path):
    path = tmp_path / "journal.db"
    for found, moved in ((None, 0), (0, 12), (12, 5)):
        with Journal(path) as journal:
            bookmark = journal.bookmark("ws://h")
            assert bookmark.position == found
            bookmark.position = moved


def test_another_source_begins_anew(tmp_path):
    with Journal(tmp_path / "journal.db") as journal:
        journal.bookmark("ws://h").position = 5
        assert journal.bookmark("ws://h").position == 5
        assert journal.bookmark("ws://other").position is None
        assert journal.bookmark("ws://h").position is None
