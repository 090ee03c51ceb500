"""`make docs-links` tells dead addresses from those that nobody could ask."""

import importlib.util
import json

import pytest

from tests.packaging.sources import ROOT

SPEC = importlib.util.spec_from_file_location(
    "addresses", ROOT / "docs" / "generator" / "addresses.py"
)
addresses = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(addresses)

DEAD = [
    ("broken", "404 Client Error: Not Found for url: https://a.org/x"),
    ("broken", "410 Client Error: Gone"),
    ("broken", "Anchor 'rules' not found"),
]
UNKNOWN = [
    ("broken", "Max retries exceeded (Caused by NameResolutionError: Failed to resolve 'a.org')"),
    ("broken", "403 Client Error: Forbidden"),
    ("timeout", "Read timed out after 4040 ms"),
    ("rate-limited", ""),
]


def line(status, info="", uri="https://a.org/x", at=3):
    return json.dumps(
        {"status": status, "info": info, "uri": uri, "filename": "index.md", "lineno": at}
    )


@pytest.mark.parametrize(("status", "info"), DEAD)
def test_an_answer_that_says_so_is_a_dead_link(status, info, tmp_path, capsys):
    path = tmp_path / "output.json"
    path.write_text("\n".join([line("working", uri="https://b.org"), line(status, info)]))
    assert addresses.main(str(path)) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("dead: https://a.org/x (index.md:3): ")
    assert printed.endswith("1 fine, 1 dead, 0 not reached\n")


@pytest.mark.parametrize(("status", "info"), UNKNOWN)
def test_no_answer_says_nothing_of_a_link(status, info, tmp_path, capsys):
    path = tmp_path / "output.json"
    path.write_text(line(status, info))
    assert addresses.main(str(path)) == 0
    assert capsys.readouterr().out.endswith("0 fine, 0 dead, 1 not reached\n")


def test_an_address_counts_once_and_links_between_pages_do_not():
    lines = [line("working"), line("working", at=9), line("unchecked", uri="page.html#x")]
    found = addresses.sorted_out("\n".join(lines))
    assert found == {"fine": ["https://a.org/x (index.md:3): "], "dead": [], "not reached": []}


def test_a_checker_that_did_not_end_is_a_sentence(tmp_path, capsys):
    assert addresses.main(str(tmp_path / "output.json")) == 1
    assert capsys.readouterr().out.endswith("not there: the link checker did not end\n")
