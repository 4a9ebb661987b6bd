"""Files that are there, gone, replaced."""

from fastrouter.journal.presence import Presence


def test_what_is_gone_or_another(tmp_path):
    paths = [tmp_path / name for name in ("kept", "written", "gone", "replaced", "never")]
    _, written, gone, replaced, never = paths
    for path in paths[:-1]:
        path.touch()
    presence = Presence(paths)
    assert presence.removed() == []
    written.write_text("more")
    gone.unlink()
    replaced.rename(tmp_path / "moved")
    replaced.touch()
    never.touch()
    assert presence.removed() == [gone, replaced]
