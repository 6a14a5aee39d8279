# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was released is there until the next major version, as tests/releases/<version>/promises.json has it.

GRAPHOPS_TEST_WRITE=1 writes that of the version in galaxy.yml, for its release.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.graphops.intune.plugins.module_utils._report.fleet_summary import Entry

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ROOT / "tests" / "releases"
VERSION = str(yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"])
MAJOR = VERSION.partition(".")[0]
TREE = str(ROOT / ".build" / "tree")
OLD = [
    path.name for path in sorted(RELEASES.iterdir()) if path.name.partition(".")[0] == MAJOR and path.name != VERSION
]
# What of an option is promised. A description may change, and what is new since a version is told by it.
OF_AN_OPTION = ("type", "elements", "required", "default", "choices", "aliases", "env", "ini", "vars", "options")
OF_A_RESULT = ("type", "elements", "contains")

Promises = dict[str, t.Any]


@functools.cache
def documented(collections: str) -> t.Any:
    """What ansible-doc tells of everything in the collection.

    :param collections: the path under which Ansible finds it.
    """
    command = [str(Path(sys.executable).parent / "ansible-doc"), "--metadata-dump", "graphops.intune"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)["all"]


def promises(collections: str, columns: t.Sequence[str]) -> Promises:
    """What a version offers: all names, and of options and results what playbooks rely on.

    :param collections: the path under which Ansible finds the version.
    :param columns: those of its reports.
    """
    told = documented(collections)
    root = Path(collections) / "ansible_collections" / "graphops" / "intune"
    roles = {name: role["entry_points"]["main"]["options"] for name, role in told["role"].items()}
    plugins = {
        f"{kind} {name}": {
            "options": kept(plugin["doc"]["options"], OF_AN_OPTION),
            "return": kept(plugin["return"] or {}, OF_A_RESULT),
            "attributes": {
                attribute: about["support"] for attribute, about in plugin["doc"].get("attributes", {}).items()
            },
            "variables": {
                option: found
                for option, about in plugin["doc"]["options"].items()
                if (found := re.findall(r"E\((\w+)\)", str(about["description"])))
            },
        }
        for kind in ("module", "inventory")
        for name, plugin in told[kind].items()
    }
    return {
        "plugins": plugins,
        "roles": {name: kept(options, OF_AN_OPTION) for name, options in roles.items()},
        "defaults": {
            path.parts[-3]: yaml.safe_load(path.read_text(encoding="utf-8"))
            for path in sorted(root.glob("roles/*/defaults/main.yml"))
        },
        "playbooks": sorted(path.name for path in root.glob("playbooks/*.yml")),
        "action_groups": yaml.safe_load((root / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"],
        "columns": list(columns),
    }


def kept(values: t.Mapping[str, t.Any], what: tuple[str, ...]) -> dict[str, t.Any]:
    """Leave of each option or result what is promised, down to the last one within."""
    return {
        name: {
            key: kept(about[key], what) if key in ("options", "contains") else about[key]
            for key in what
            if about.get(key) not in (None, False, [])
        }
        for name, about in values.items()
    }


def broken(old: t.Any, new: t.Any, place: str = "") -> t.Iterator[str]:
    """Where something of ``old`` is not so in ``new``; there may be more in it."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in old:
            if name in new:
                yield from broken(old[name], new[name], f"{place}{name}: ")
            elif name not in ("required", "elements"):
                yield f"{place}{name} is gone"
        if "type" in old:
            yield from (f"{place}{name} is new" for name in ("required", "default") if name in new and name not in old)
        if place.endswith("options: "):
            yield from (f"{place}{name} must be given" for name in new if name not in old and "required" in new[name])
    elif isinstance(old, list) and isinstance(new, list):
        left = [item for item in new if item in old]
        if left != old:
            yield f"{place}{old} is {new}"
    elif old != new:
        yield f"{place}{old!r} is {new!r}"


@functools.cache
def present() -> Promises:
    return promises(TREE, Entry._fields)


@pytest.mark.parametrize("version", OLD)
def test_what_was_released_is_there(version: str) -> None:
    """Names, options, defaults, choices, aliases, variables, results and columns."""
    old = json.loads((RELEASES / version / "promises.json").read_text(encoding="utf-8"))
    assert len(old["plugins"]) >= 5
    assert list(broken(old, present())) == []
    columns = old["columns"]
    assert present()["columns"][: len(columns)] == columns, "spreadsheets count columns"


def test_the_promises_of_a_release_are_kept_in_a_file() -> None:
    """Written for its release, see CONTRIBUTING; and the first one is there."""
    if os.environ.get("GRAPHOPS_TEST_WRITE"):
        file = RELEASES / VERSION / "promises.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(present(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert "1.0.0" in OLD


def test_what_is_new_says_since_when() -> None:
    """A plugin or role, or an option of one that was there before."""
    first, told = json.loads((RELEASES / "1.0.0" / "promises.json").read_text(encoding="utf-8")), documented(TREE)
    texts = {
        **{
            f"{kind} {name}": (plugin["doc"], first["plugins"].get(f"{kind} {name}", {}).get("options"))
            for kind in ("module", "inventory")
            for name, plugin in told[kind].items()
        },
        **{name: (role["entry_points"]["main"], first["roles"].get(name)) for name, role in told["role"].items()},
    }
    for name, (text, before) in texts.items():
        assert text["version_added"], name
        for option, about in text["options"].items():
            assert before is None or option in before or about.get("version_added"), f"{name}: {option}"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ({"a": {}}, {}, "a is gone"),
        ({"choices": ["x", "y"]}, {"choices": ["y", "z"]}, "choices: ['x', 'y'] is ['y', 'z']"),
        ({"type": "int", "default": 1}, {"type": "int", "default": 2}, "default: 1 is 2"),
        ({"type": "str"}, {"type": "str", "required": True}, "required is new"),
        ({"options": {}}, {"options": {"b": {"type": "str", "required": True}}}, "options: b must be given"),
    ],
)
def test_what_is_broken_is_told(old: Promises, new: Promises, line: str) -> None:
    """And what is only added, is not."""
    assert list(broken(old, new)) == [line]
    assert list(broken(old, {**old, "more": 1})) == []
