# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""Where a task stands in its play: what is around it, and what stays the same when the play comes by again."""

from __future__ import annotations

import typing as t

from ansible.playbook.block import Block
from ansible.playbook.task_include import TaskInclude


def around(task: t.Any) -> t.Iterator[t.Any]:
    """The task itself, and the blocks and includes around it, from the inside out."""
    while task is not None:
        yield task
        task = task._parent  # noqa: SLF001


def all_hosts_come_by(task: t.Any) -> bool:
    """Whether Ansible runs a task for every host that is still in the play, and with the same keywords.

    It does not behind a condition, in what is included, or in a block for those that failed; and an environment, or
    whether it is check mode, may be another for each host. Who has left the play takes part in neither case. The answer
    is the same for all batches.
    """
    inside: set[t.Any] = set()
    for node in around(task):
        if isinstance(node, TaskInclude) and not node.statically_loaded:
            return False
        # What is imported stands in a block's list itself, and not the import around it.
        if isinstance(node, Block) and inside.intersection(one._uuid for one in (*node.rescue, *node.always)):  # noqa: SLF001
            return False
        inside.add(node._uuid)  # noqa: SLF001
    # What the play, its blocks and the role say, which Ansible has not evaluated there.
    environment, check_mode = (
        task._parent._get_parent_attribute(keyword)  # noqa: SLF001
        for keyword in ("environment", "check_mode")
    )
    return (
        not task.when and not (isinstance(environment, list) and any(environment)) and not isinstance(check_mode, str)
    )


def run_once_around(task: t.Any) -> list[t.Any]:
    """What is said around a task of one host standing for all, which Ansible may not have evaluated."""
    dynamic = [node for node in around(task) if isinstance(node, TaskInclude) and not node.statically_loaded]
    found = [task._parent._get_parent_attribute("run_once"), *(node.run_once for node in dynamic)]  # noqa: SLF001
    return [value for value in found if isinstance(value, (bool, str)) and value]


def members_key(task: t.Any) -> str:
    """What the tasks of one file have in common, and no others."""
    return f"members {task._parent._uuid}"  # noqa: SLF001


def run_key(task: t.Any, *, included: bool) -> str:
    """What stays the same for the batches of a play (``serial``), in which what is included is loaded anew.

    :param included: whether the task stands in the role's own file for hosts that speak for themselves.
    """
    includes = [node for node in around(task) if isinstance(node, TaskInclude)]
    block = task._parent  # noqa: SLF001
    if included:
        block = includes.pop(0)._parent  # noqa: SLF001
    dynamic = [node for node in includes if not node.statically_loaded]
    outermost = dynamic[-1] if dynamic else block
    return "run " + " ".join([str(outermost._uuid), *(str(node.get_path()) for node in includes)])  # noqa: SLF001
