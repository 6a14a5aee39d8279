# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the kinds and the modules: the registry, action stubs, the action group, and tables in the docs.

Run it to write all of it anew; ``tests/contract/test_generated.py`` fails if something is stale.
"""

from __future__ import annotations

import importlib
import re
import typing as t
from pathlib import Path

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

    @property
    def short_description(self) -> str:
        """What its documentation says in one line."""
        text = (ROOT / "plugins" / "modules" / f"{self.name}.py").read_text(encoding="utf-8")
        return text.partition("\nshort_description: ")[2].partition("\n")[0]


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


def rst(rows: t.Iterable[t.Sequence[str]]) -> str:
    """A table in reStructuredText; the first row is its header."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'* -' if not number else '  -'} {cell}" for number, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def table(found: t.Sequence[Module], code: str) -> list[list[str]]:
    """The table of modules, what each takes and how it decides.

    :param code: what stands around code: one backtick in Markdown, two in reStructuredText.
    """
    rows = [["module", "application or delegated permission", "Graph", "default `max_age`".replace("`", code)]]
    rows += [
        [f"{code}{one.name}{code}", _listed(one.permissions, code), one.kind.api, one.max_age or "-"] for one in found
    ]
    looked = looked_at()
    apis = " and ".join(sorted({kind.api for kind in looked}, reverse=True))
    permissions = sorted({kind.permission for kind in looked}, reverse=True)
    rows.append([f"{code}{OVERVIEW}{code}", _listed(permissions, code), apis, "-"])
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
