# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the kinds and the modules: the registry, action stubs, the action group, and tables in the docs.

Run it to write all of it anew; ``tests/contract/test_generated.py`` fails if something is stale.
"""

from __future__ import annotations

import csv
import importlib
import re
import textwrap
import typing as t
from pathlib import Path

import messages
from ansible_collections.graphops.intune.plugins.module_utils._ground import timestamps
from ansible_collections.graphops.intune.plugins.module_utils._report import fleet_report
from ansible_collections.graphops.intune.plugins.module_utils._report.fleet_summary import Entry

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = "ansible_collections.graphops.intune.plugins"
# Files of _kinds that are no kind.
_NO_KIND = ("kind", "registry")
HEADER = """\
# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""
REGISTRY = (
    HEADER
    + '''\
# This module_utils is private to graphops.intune; it can change in any release.

# Made by "make generate".

"""Every kind of object. Only what is about all of them imports this, or each module would carry all."""

from __future__ import annotations

from . import (
    {imports},
)

KINDS = (
    {values},
)
'''
)
ACTION = (
    HEADER
    + '''\
# Made by "make generate".

"""The module of this name in the controller's own process; the documentation is in the module."""

from __future__ import annotations

from ansible_collections.graphops.intune.plugins.module_utils._kinds import {kind}
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import {command}
from ansible_collections.graphops.intune.plugins.plugin_utils.in_process import InProcess


class ActionModule(InProcess):
    """Found by Ansible under this name."""

    command = {command}({kind}.KIND)
'''
)
COMMANDS = {"sync": "SyncCommand", "info": "InfoCommand"}
INDENT = "  "
TYPES = {"module": "module", "inventory": "inventory plugin"}
# What the page about messages has, by the names of its marks, beside Entra's codes.
MESSAGES: dict[str, t.Callable[[], t.Iterable[messages.Message]]] = {
    "graph": messages.graph,
    "connection": lambda: messages.own("module_utils/_http"),
    "outcomes": lambda: messages.outcomes(kinds().values()),
    "answers": lambda: messages.own("module_utils/_graph", "module_utils/_kinds", *messages.LOOKS),
    "sign-in": lambda: messages.own("module_utils/_identity", "module_utils/_ground/clouds.py"),
    "options": lambda: messages.own(*messages.OPTIONS),
}
# The module about all kinds but those of which a tenant has thousands.
OVERVIEW = "intune_connectors_and_tokens_info"
# The module about what a token allows, which knows all kinds.
SIGN_IN = "intune_sign_in_info"


class Module(t.NamedTuple):
    """A module about one kind of object.

    :param command: ``sync`` or ``info``.
    """

    name: str
    kind: t.Any
    command: str

    @property
    def permissions(self) -> tuple[str, ...]:
        """What it takes, as Graph calls it."""
        return tuple(self.kind.action.permissions) if self.command == "sync" else (str(self.kind.permission),)

    @property
    def max_age(self) -> str:
        """The default, in words; "" where there is none."""
        ages = self.kind.action.max_age if self.command == "sync" else {}
        return ", ".join(f"{age} s ({name})" if name else f"{age} s" for name, age in ages.items())


def looked_at() -> list[t.Any]:
    """The kinds that the module about all of them knows."""
    return [kind for kind in kinds().values() if not kind.large]


def kinds() -> dict[str, t.Any]:
    """The kinds by the names of their files."""
    files = sorted((ROOT / "plugins" / "module_utils" / "_kinds").glob("*.py"))
    names = [path.stem for path in files if path.stem not in _NO_KIND]
    return {name: importlib.import_module(f"{PLUGINS}.module_utils._kinds.{name}").KIND for name in names}


def modules() -> list[Module]:
    """The modules about one kind, by what they are called."""
    found = []
    known = kinds()
    for path in sorted((ROOT / "plugins" / "modules").glob("intune_*.py")):
        match = re.fullmatch(r"intune_(\w+)_(sync|info)", path.stem)
        if match and match[1] in known:
            found.append(Module(path.stem, known[match[1]], match[2]))
    return found


def between(text: str, what: str, content: str) -> str:
    """The text with what is generated put between its marks, which are comments.

    :param what: the name in the marks, such as ``modules``.
    """
    comment = r"(?:<!--|\.\.|[ ]+#)"
    pattern = re.compile(
        rf"({comment} begin: {what}, made by \"make generate\"(?: -->)?\n)(.*?)({comment} end: {what})", re.DOTALL
    )
    assert pattern.search(text), f"no marks for {what}"
    return pattern.sub(lambda match: f"{match[1]}{content}{match[3]}", text)


def markdown(rows: t.Iterable[t.Sequence[str]]) -> str:
    """A table in Markdown; the first row is its header."""
    first, *others = rows
    lines = [first, ["---"] * len(first), *others]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines) + "\n"


def rst(rows: t.Iterable[t.Sequence[str]], *options: str) -> str:
    """A table in reStructuredText; the first row is its header."""
    lines = [".. list-table::", "   :header-rows: 1", *(f"   {option}" for option in options), ""]
    for row in rows:
        lines += [f"   {'* -' if not number else '  -'} {cell}" for number, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def definitions(terms: t.Iterable[tuple[str, str]]) -> str:
    """A list of terms with a text each, which needs less width than a table."""
    lay_out = textwrap.TextWrapper(120, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False)
    return "\n".join(f"{term}\n{lay_out.fill(text)}\n" for term, text in terms)


def columns() -> t.Iterator[tuple[str, str]]:
    """The columns of a report and what they hold, by what the code says of them."""
    parameter = re.compile(r"^    :param (\w+): (.*?)(?=\n    :param|\n    ?\Z)", re.MULTILINE | re.DOTALL)
    said = dict(parameter.findall(Entry.__doc__ or ""))
    ((wide,), (narrow,)) = (
        csv.reader(fleet_report.to_csv([], tenants=tenants).splitlines()) for tenants in (dict[str, str](), None)
    )
    for name, field in zip(wide, Entry._fields):
        what = " ".join(said[field].split()).rstrip(".")
        what = what.replace(":data:`OUTCOMES`", "the outcomes").replace("None", "nothing")
        what = re.sub(r"`+", "``", f"{what[0].upper()}{what[1:]}.")
        if field not in narrow:
            what += " Not in a report of connectors alone."
        elif name != field:
            what += f" In a report of connectors alone it is called ``{field}``."
        yield f"``{name}``", what


def contents() -> t.Iterator[tuple[str, str]]:
    """What the collection has for users, by what its documentation says in a line."""
    for plugin_type, folder in (("module", "modules"), ("inventory", "inventory")):
        for path in sorted((ROOT / "plugins" / folder).glob("[!_]*.py")):
            short = short_description(path)
            if not short.startswith("Internal, "):
                name = f"graphops.intune.{path.stem}#{plugin_type}"
                yield f":ansplugin:`{path.stem} <{name}>` ({TYPES[plugin_type]})", f"{short}."
    for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        role = path.parts[-3]
        yield f":ansplugin:`{role} <graphops.intune.{role}#role>` (role)", f"{short_description(path)}."
    for path in sorted((ROOT / "playbooks").glob("*.yml")):
        name = re.findall(r"^- name: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)[0]
        yield f"``graphops.intune.{path.stem}`` (playbook)", f"{name}."


def short_description(path: Path) -> str:
    """What a plugin's or a role's documentation says in one line."""
    return path.read_text(encoding="utf-8").partition("short_description: ")[2].partition("\n")[0]


def calls() -> t.Iterator[tuple[str, str]]:
    """The calls of Graph that synchronise, and the module that makes each."""
    for one in modules():
        if one.command == "sync":
            path = f"{one.kind.path_of('{id}')}/{one.kind.action.path}"
            yield f"``POST {path}``", f":ansplugin:`{one.name} <graphops.intune.{one.name}#module>`"


def intervals() -> list[list[str]]:
    """The table of the kinds that can be synchronised, and of the times that matter to each."""
    rows = [["kind", "default ``max_age``", "least interval", "Intune by itself", "waits"]]
    for kind in kinds().values():
        action = kind.action
        if action:
            ages = [f"{age} s" + (f" (``{name}``)" if name else "") for name, age in action.max_age.items()]
            rows.append(
                [
                    kind.words.one,
                    ", ".join(ages),
                    timestamps.humanize(action.interval) if action.interval else "none known",
                    f"every {timestamps.humanize(action.automatic)}" if action.automatic else "not told",
                    "yes" if action.wait else "no",
                ]
            )
    return rows


def table(found: t.Sequence[Module], code: str) -> list[list[str]]:
    """The table of modules, what each takes and how it decides.

    :param code: what stands around code: one backtick in Markdown, two in reStructuredText.
    """
    rows = [["module", "application or delegated permission", "Graph", "default `max_age`".replace("`", code)]]
    rows += [
        [f"{code}{one.name}{code}", _listed(one.permissions, code), one.kind.api, one.max_age or "none"]
        for one in found
    ]
    looked = looked_at()
    apis = " and ".join(sorted({kind.api for kind in looked}, reverse=True))
    permissions = sorted({kind.permission for kind in looked}, reverse=True)
    rows.append([f"{code}{OVERVIEW}{code}", _listed(permissions, code), apis, "none"])
    rows.append([f"{code}{SIGN_IN}{code}", f"none; with {code}probe{code}, those of the kinds", apis, "none"])
    return [rows[0], *sorted(rows[1:])]


def _listed(words: t.Iterable[str], code: str) -> str:
    return " and ".join(f"{code}{word}{code}" for word in words)


def generated() -> dict[str, str]:
    """What should stand in each file, by its path below the repository's."""
    known, found = kinds(), modules()
    files = {
        "plugins/module_utils/_kinds/registry.py": REGISTRY.format(
            imports=",\n    ".join(known), values=",\n    ".join(f"{name}.KIND" for name in known)
        )
    }
    for one in found:
        files[f"plugins/action/{one.name}.py"] = ACTION.format(kind=one.kind.name, command=COMMANDS[one.command])
    names = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("intune_*.py"))

    def text(name: str) -> str:
        return (ROOT / name).read_text(encoding="utf-8")

    runtime = "meta/runtime.yml"
    files[runtime] = re.sub(
        r"(?<=\n  intune:\n)(    - \w+\n)+", "".join(f"    - {name}\n" for name in names), text(runtime)
    )
    files["README.md"] = between(text("README.md"), "modules", f"\n{markdown(table(found, '`'))}\n")
    guide = "docs/docsite/rst/permissions.rst"
    files[guide] = between(text(guide), "modules", f"\n{rst(table(found, '``'))}\n")
    page = "docs/docsite/rst/decides.rst"
    files[page] = between(text(page), "kinds", "\n" + rst(intervals(), ":class: whole-words") + "\n")
    page = "docs/docsite/rst/guide_schedule.rst"
    files[page] = between(text(page), "columns", f"\n{definitions(columns())}\n")
    page = "docs/docsite/rst/guide_scripts.rst"
    files[page] = between(text(page), "calls", f"\n{definitions(calls())}\n")
    page = "docs/docsite/rst/install.rst"
    files[page] = between(text(page), "content", f"\n{definitions(contents())}\n")
    page = "docs/docsite/rst/messages.rst"
    said, seen = text(page), set[str]()
    for name, found_messages in MESSAGES.items():
        said = between(said, name, f"\n{messages.rst(found_messages(), seen)}\n")
    parts = messages.entra()
    entra = [f"{part}\n{'^' * len(part)}\n\n{messages.rst(listed, seen)}" for part, listed in parts.items()]
    files[page] = between(said, "entra", "\n" + "\n".join(entra) + "\n")
    for module, listed in ((OVERVIEW, looked_at()), (SIGN_IN, list(known.values()))):
        path = f"plugins/modules/{module}.py"
        choices = "".join(f"      - {kind.name}\n" for kind in listed)
        files[path] = between(text(path), "kinds", f"    choices:\n{choices}")
    return files


if __name__ == "__main__":
    for name, content in generated().items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
            print(f"wrote {name}")
