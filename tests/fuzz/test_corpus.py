"""What coverage-guided fuzzing has found worth keeping is read here as it was there."""

import pytest

from tests.fuzz import __main__ as fuzzing
from tests.fuzz.__main__ import CORPUS, LARGEST, MOST, Tries, keep_small, main, slug
from tests.fuzz.signed import ALL, sign_manifest, signed_again, target


@pytest.mark.parametrize("name", ALL)
def test_every_file_of_the_corpus(name, tmp_path):
    """A new reader: `make fuzz` writes some."""
    test, content = target(name, tmp_path)
    test(content)
    files = sorted((CORPUS / slug(name)).iterdir())
    assert files, f"no corpus of {name}: python -m tests.fuzz {name!r} --keep"
    for path in files:
        test(path.read_bytes())


def test_the_corpus_is_small_and_of_readers_that_are_there():
    assert {path.name for path in CORPUS.iterdir()} == {slug(name) for name in ALL}
    assert all(path.stat().st_size <= LARGEST for path in CORPUS.glob("*/*"))


def test_a_file_that_is_read_as_another_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.fuzz.signed.outcome", lambda *_: "other")
    test, content = target("manifest of a checkpoint", tmp_path / "a")
    with pytest.raises(RuntimeError, match="read as something else"):
        test(content)
    test, content = target("manifest of a checkpoint, signed", tmp_path / "b")
    test(content)


def test_only_objects_are_signed():
    assert signed_again(b"[1]", sign_manifest) == b"[1]"
    assert signed_again(b"x", sign_manifest) == b"x"
    assert b'"sha256"' in signed_again(b'{"a": 1}', sign_manifest)


def test_the_smallest_are_kept(tmp_path):
    (tmp_path / "found").mkdir()
    for k in range(MOST + 5):
        (tmp_path / "found" / str(k)).write_bytes(bytes(k + 1))
    (tmp_path / "found" / "large").write_bytes(bytes(LARGEST + 1))
    (tmp_path / "found" / "good").write_bytes(b"")
    keep_small(tmp_path / "found", tmp_path / "kept")
    sizes = sorted(path.stat().st_size for path in (tmp_path / "kept").iterdir())
    assert sizes == list(range(1, MOST + 1))


def test_the_table_and_the_status(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["fuzz", "replay", "policy table", "--minutes", "0.1"])
    found = {"replay": Tries(1200, 30, ""), "policy table": Tries(3, 4, "KeyError: x")}
    assert main(lambda name, minutes, keep: found[name]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == ["| replay | 1,200 | 30 | none |", "| policy table | 3 | 4 | KeyError: x |"]
    assert fuzzing.readers() == ALL
