"""Every verb explains itself: help with an example, the options that all share, and a place in the documentation."""

from functools import cache

import pytest
import typer

from leadlight.__main__ import build_app
from tests.layout.repository import tracked_texts

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
