"""Every verb explains itself: help with an example, the options that all share, and a place in the documentation."""

import re
import shlex
from functools import cache

import pytest
import typer

from leadlight.__main__ import build_app
from tests.layout.repository import ROOT, tracked_texts

# Verbs that have no use for a workspace.
WITHOUT_WORKSPACE = {"simulate"}


@cache
def verbs():
    """Give every verb with its command: `rules show` -> command."""

    def leaves(command, path):
        children = getattr(command, "commands", None)
        if children is None:
            return {path: command}
        return {
            name: leaf
            for key, child in children.items()
            for name, leaf in leaves(child, f"{path} {key}".strip()).items()
        }

    return leaves(typer.main.get_command(build_app()), "")


@pytest.mark.parametrize("verb", verbs() or ["none"])
def test_a_verb_has_help_with_an_example(verb):
    text = verbs()[verb].help or ""
    assert "Example" in text, "the docstring needs a line `Example: leadlight VERB ...`"
    assert f"leadlight {verb}" in text.partition("Example")[2]


@pytest.mark.parametrize("verb", verbs() or ["none"])
def test_a_verb_has_the_options_that_all_share(verb):
    options = {option for parameter in verbs()[verb].params for option in parameter.opts}
    assert "--json" in options
    assert "--workspace" in options or verb in WITHOUT_WORKSPACE


@pytest.mark.parametrize("verb", verbs() or ["none"])
def test_every_option_has_a_word_of_help(verb):
    silent = [parameter.name for parameter in verbs()[verb].params if not getattr(parameter, "help", "")]
    assert silent == []


@pytest.mark.parametrize("verb", verbs() or ["none"])
def test_a_verb_is_in_the_documentation(verb):
    pages = [
        text
        for path, text in tracked_texts().items()
        if path.suffix == ".md" and path.parts[0] in {"README.md", "docs"}
    ]
    assert any(f"leadlight {verb}" in page for page in pages), f"name `leadlight {verb}` in README.md or docs/"


LINE = re.compile(r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?leadlight (?P<words>[^|>#]*)")


def in_blocks(text):
    """Give the lines of the blocks of code of a page."""
    inside = False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = not inside
        elif inside:
            yield line.strip().removeprefix("$ ")


def parsed(words):
    """Give the verb of a command line after its options were read as the command would; nothing is run."""
    known = verbs()
    for length in (1, 2):
        verb = " ".join(words[:length])
        if verb in known:
            with known[verb].make_context(verb, list(words[length:])):
                return verb
    raise AssertionError(f"`leadlight {' '.join(words)}` names no verb")


def shown(paths):
    """Give the verbs of all lines of pages that call the command."""
    for path in paths:
        for line in in_blocks(path.read_text(encoding="utf-8")):
            found = LINE.match(line)
            if found is not None and "..." not in line:
                yield parsed(shlex.split(found["words"]))


def test_every_line_of_the_documentation_is_one_that_the_command_takes():
    pages = [ROOT / "README.md", ROOT / "mlflow" / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert set(shown(pages)) <= set(verbs())


def test_every_verb_has_an_example_on_the_page_of_verbs():
    assert sorted(set(verbs()) - set(shown([ROOT / "docs" / "commands.md"]))) == []


@pytest.mark.parametrize("verb", verbs() or ["none"])
def test_the_example_of_the_help_is_one_that_the_command_takes(verb):
    lines = re.findall(r"Example: (.*)", verbs()[verb].help or "")
    found = [LINE.match(line) for line in lines]
    assert verb in {parsed(shlex.split(line["words"])) for line in found if line is not None}
