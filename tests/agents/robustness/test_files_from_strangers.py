"""Promise 8: a file that is damaged, swapped, hostile or no file at all is one documented error, or
what it says is bit for bit what was written.  Every kind of file, by `stranger_files.KINDS`."""

import os
import random
import re
import shutil

import pytest

from tests.agents.robustness.stranger_files import KINDS, put

QUICK, MANY = (20, 6), (1000, 100)  # flips and truncations a kind
any_kind = pytest.mark.parametrize("name", KINDS)

PICKLE = b"\x80\x04cposix\nsystem\n(S'touch pwned'\ntR."
JUNK = {
    "nothing": b"",
    "a zero": b"\0",
    "a pickle": PICKLE,
    "a header of 2^63": (2**63 - 1).to_bytes(8, "little") + b"{}",
    "an npy of 2^63": b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, "
    b"'shape': (9223372036854775807, 4), }" + b" " * 40 + b"\n",
    "a zip of nothing": b"PK\x05\x06" + bytes(18),
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"task":' * 50_000,
    "a huge integer": b"9" * 5000,
    "NaN": b"NaN",
    "infinity": b"1e999999",
    "null": b"null",
    "a list": b"[]",
    "an object": b"{}",
    "a word": b'"x"',
    "a line of nothing": b"{}\n{}\n",
    "no utf-8": b'\xff\xfe{"format": 1}',
    "utf-16": '{"format": 1}'.encode("utf-16"),
    "a lone surrogate": b'{"format": "\\ud800"}',
}
NUMBERS = [b"NaN", b"-Infinity", b"1e999", b"9" * 400, b"9" * 5000, b"-1", b'"1"', b"null", b"[]"]
NUMBERS += [b"[" * 2000 + b"]" * 2000, b"true", b"1e-320", b"{}"]


def outcome(kind, path, good):
    """What the reader makes of a file: "error", "same" or "another"; fails for all else."""
    try:
        found = kind.read(path)
    except kind.errors as error:
        assert str(path.parent) in str(error), f"it names no file: {error}"
        assert len(str(error).splitlines()) == 1, f"more than a sentence: {error}"
        return "error"
    except Exception as error:
        pytest.fail(f"{type(error).__name__}: {error}")
    if kind.absent:
        return "same" if all(x in (None, y) for x, y in zip(found, good, strict=True)) else "other"
    return "same" if found == good else "other"


def prepared(name, folder):
    """A kind, its file, what is in it and what its reader makes of that."""
    kind = KINDS[name]
    folder.mkdir(exist_ok=True)
    path = kind.write(folder)
    content = path.read_bytes()
    good = kind.read(path)
    path.write_bytes(content)
    return kind, path, content, good


def check_all(name, folder, contents):
    """(kind, what, content): none of these contents is read as something else."""
    kind, path, content, good = prepared(name, folder)
    allowed, tries = ("error", "same") if kind.signed else ("error", "same", "other"), 0
    for what, changed in contents(content):
        put(path, changed)
        assert outcome(kind, path, good) in allowed, f"{name}: {what}"
        tries += 1
    return tries


def damaged(content, name, flips, cuts):
    """Flipped bits and truncations; the same ones in every run."""
    draws = random.Random(name)
    for bit in draws.sample(range(8 * len(content)), min(flips, 8 * len(content))):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit}", bytes(flipped)
    for length in draws.sample(range(len(content)), min(cuts, len(content))):
        yield f"cut to {length} bytes", content[:length]


@any_kind
def test_what_is_written_is_read(name, tmp_path):
    kind, path, _, good = prepared(name, tmp_path)
    assert kind.read(path) == good
    assert not (kind.absent and None in good)


@any_kind
def test_flipped_bits_and_truncations(name, tmp_path, record_property):
    tries = check_all(name, tmp_path, lambda content: damaged(content, name, *QUICK))
    record_property("tries", tries)


@pytest.mark.slow
@any_kind
def test_a_thousand_flipped_bits_and_a_hundred_truncations(name, tmp_path, record_property):
    tries = check_all(name, tmp_path, lambda content: damaged(content, name, *MANY))
    record_property("tries", tries)


@any_kind
def test_what_is_no_such_file(name, tmp_path):
    """Pickles under our extensions, headers of 2^63, deep JSON, what is no UTF-8."""
    kind, path, _, good = prepared(name, tmp_path)
    for what, junk in JUNK.items():
        put(path, junk)
        found = outcome(kind, path, good)
        assert found == "error" or kind.absent or name == "metrics.jsonl, to go on", what
    assert not (tmp_path / "pwned").exists()


@any_kind
def test_swapped_files(name, tmp_path):
    """Each kind under the name of every other."""
    kind, path, content, good = prepared(name, tmp_path / "own")
    for other in KINDS:
        (tmp_path / "other").mkdir()
        swapped = KINDS[other].write(tmp_path / "other").read_bytes()
        shutil.rmtree(tmp_path / "other")
        if swapped == content or KINDS[other].read == kind.read:
            continue  # as good, such as the page of a replay

        put(path, swapped)
        assert outcome(kind, path, good) == "error" or kind.absent or not kind.signed, other


def with_other_numbers(content, count):
    """Numbers replaced by what JSON or Python's reader of it allows; names that stand twice."""
    places = [match.span() for match in re.finditer(rb"(?<=[ :\[,])-?\d+(\.\d+)?", content)]
    draws = random.Random(count)
    for start, end in draws.sample(places, min(count, len(places))):
        for number in NUMBERS:
            changed = content[:start] + number + content[end:]
            yield f"{number[:10]!r} at {start}", changed

    # The last of two equal names is what most readers take.
    for key in set(re.findall(rb'"[a-z_]+"(?=: ?)', content)):
        yield f"{key!r} twice, first", content.replace(b"{", b"{" + key + b": 0,", 1)
        yield f"{key!r} twice, last", content[: content.rindex(b"}")] + b"," + key + b": 0}"


@any_kind
@pytest.mark.parametrize("count", [2, pytest.param(40, marks=pytest.mark.slow)])
def test_other_numbers_and_names_that_stand_twice(name, count, tmp_path):
    if KINDS[name].write(tmp_path).suffix in (".safetensors", ".npz"):
        return  # not JSON, or by test_checkpoint.py
    shutil.rmtree(tmp_path)
    check_all(name, tmp_path, lambda content: with_other_numbers(content, count))


def pipe(path, _):
    os.mkfifo(path)


STRANGE = {
    "no file": lambda path, good: None,
    "a folder": lambda path, good: path.mkdir(),
    "a pipe": pipe,
    "a link to itself": lambda path, good: path.symlink_to(path.name),
    "a link to nothing": lambda path, good: path.symlink_to("nothing"),
    "a link to a device": lambda path, good: path.symlink_to("/dev/zero"),
    "a link to a folder": lambda path, good: path.symlink_to("/"),
    "a link to the file": lambda path, good: path.symlink_to(good),
}


@any_kind
@pytest.mark.parametrize("what", STRANGE)
def test_what_is_no_ordinary_file(name, what, tmp_path):
    """Nothing waits for a pipe, or reads a device; a link to an ordinary file is one."""
    kind, path, content, good = prepared(name, tmp_path / "own")
    elsewhere = put(tmp_path / "good", content)
    path.unlink()
    STRANGE[what](path, elsewhere)

    found = outcome(kind, path, good)
    if what == "a link to the file":
        assert found == "same"
