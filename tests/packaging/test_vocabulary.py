"""One word for one thing: names do not use the words that docs/glossary.md has retired."""

import ast
import re

import pytest

from tests.packaging.sources import FUNCTIONS, PACKAGES, ROOT, Source, sources

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (.+?) \| (anywhere|whole) \| (.+?) \|$", re.MULTILINE)


def retired():
    """Retired word -> (where it is, what to say instead)."""
    return {
        word: (where, instead)
        for words, where, instead in ROW.findall(GLOSSARY)
        for word in words.split(", ")
    }


def identifiers(source):
    """(line, name, whether it is a function, class, field or parameter) of all that a file names,
    its own name among them."""
    yield 1, source.module.rpartition(".")[2], True
    for node in ast.walk(source.tree):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield node.lineno, node.name, True
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg, True
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, getattr(node, "id", None) or node.attr, False
        if isinstance(node, ast.ClassDef):
            fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
            yield from ((item.lineno, item.target.id, True) for item in fields)


def parts(name):
    """`SelfPlay_of` -> self, play, of."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]


def offences(source):
    """Every use of a retired word, with the word to use."""
    words = retired()
    for line, name, public in identifiers(source):
        for word in {*parts(name), name} & set(words):
            where, instead = words[word]
            if where == "anywhere" or (name == word and public):
                yield f"{source.path}:{line}: {name}: say {instead}"


def test_the_glossary_has_its_tables():
    """About 30 words, a line each; and every word is retired once."""
    words, _, table = GLOSSARY.partition("## Retired words")
    assert 30 <= len(re.findall(r"^\| .+ \| .+ \|$", words, re.MULTILINE)) <= 45
    assert len(ROW.findall(table)) == table.count("\n|") - 2  # the head and its rule
    assert len(retired()) == sum(len(row[0].split(", ")) for row in ROW.findall(table))


@pytest.mark.parametrize("package", PACKAGES)
def test_retired_words_are_not_used(package):
    found = sorted({offence for source in sources(package) for offence in offences(source)})
    assert not found, f"{len(found)} names:\n" + "\n".join(found)


def test_files_of_tests_have_the_fields_names():
    """Only their file names: inside, tests may tell stories."""
    words = retired()
    stems = {source.path: source.module.rpartition(".")[2] for source in sources("tests")}
    found = [
        f"{path}: say {words[word][1]}"
        for path, stem in stems.items()
        for word in set(parts(stem)) & set(words)
        if words[word][0] == "anywhere"
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "chance_lucks = 1",
        "def found(x): pass",
        "def f(how): pass",
        "class View: pass",
        "class A:\n    kept: int",
        "self.landed = 1",
        "class FreshTaste: pass",
    ],
)
def test_a_retired_word_would_be_noticed(code):
    assert len(set(offences(Source("agents/x.py", code)))) == 1


@pytest.mark.parametrize("code", ["found = []", "view = 1", "def is_worth_it(): pass", "self = 1"])
def test_other_words_pass(code):
    assert not list(offences(Source("agents/x.py", code)))
