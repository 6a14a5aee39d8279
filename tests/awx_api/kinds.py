# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of objects: their fields as AWX 24.6.1 has them, as far as they are set by anybody here."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Field:
    """A field of an object.

    :param default: its value if none is given.
    :param to: for a reference, the kinds it may refer to.
    :param cascades: whether the object is deleted with what it refers to; otherwise the reference becomes null.
    """

    default: t.Any = ""
    to: tuple[str, ...] = ()
    required: bool = False
    cascades: bool = False
    choices: tuple[t.Any, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of objects.

    :param lists: related lists, with the kind of what is in them.
    :param unique: the fields that no two objects have in common.
    """

    endpoint: str
    fields: t.Mapping[str, Field]
    unique: tuple[str, ...] = ("name",)
    lists: t.Mapping[str, str] = field(default_factory=dict)
    has_survey: bool = False


def _reference(*to: str, required: bool = False, cascades: bool = False) -> Field:
    return Field(None, to, required, cascades)


NAME = Field(required=True)
TEXT = Field()
NO = Field(default=False)
ZERO = Field(default=0)
ORGANIZATION = _reference("organization")
ENVIRONMENT = _reference("execution_environment")
INSTANCE_GROUPS = {"instance_groups": "instance_group"}
NOTIFICATIONS = {f"notification_templates_{when}": "notification_template" for when in ("started", "success", "error")}
# What a job template may ask those who launch it for.
ASKED = (
    "credential",
    "diff_mode",
    "execution_environment",
    "forks",
    "instance_groups",
    "inventory",
    "job_slice_count",
    "job_type",
    "labels",
    "limit",
    "scm_branch",
    "skip_tags",
    "tags",
    "timeout",
    "variables",
    "verbosity",
)
UNIFIED = ("project", "inventory_source", "job_template", "workflow_job_template")

KINDS: dict[str, Kind] = {
    "organization": Kind("organizations", {"name": NAME, "description": TEXT}, lists=NOTIFICATIONS),
    "notification_template": Kind(
        "notification_templates",
        {"name": NAME, "description": TEXT, "organization": ORGANIZATION},
        unique=("organization", "name"),
    ),
    "credential_type": Kind(
        "credential_types",
        {
            "name": NAME,
            "description": TEXT,
            "kind": Field(required=True, choices=("cloud", "kubernetes", "net", "scm", "ssh", "vault")),
            "managed": NO,
            "inputs": Field(default={}),
            "injectors": Field(default={}),
        },
        unique=("kind", "name"),
    ),
    "credential": Kind(
        "credentials",
        {
            "name": NAME,
            "description": TEXT,
            "organization": _reference("organization", cascades=True),
            "credential_type": _reference("credential_type", required=True),
            "inputs": Field(default={}),
        },
        unique=("organization", "name", "credential_type"),
    ),
    "execution_environment": Kind(
        "execution_environments",
        {
            "name": NAME,
            "description": TEXT,
            "organization": ORGANIZATION,
            "image": Field(required=True),
            "pull": Field(choices=("", "always", "missing", "never")),
            "credential": _reference("credential"),
        },
    ),
    "project": Kind(
        "projects",
        {
            "name": NAME,
            "description": TEXT,
            "organization": ORGANIZATION,
            "scm_type": Field(choices=("", "git", "svn", "insights", "archive")),
            "scm_url": TEXT,
            "scm_branch": TEXT,
            "scm_update_on_launch": NO,
            "local_path": TEXT,
            "credential": _reference("credential"),
            "default_environment": ENVIRONMENT,
        },
        unique=("organization", "name"),
        lists=NOTIFICATIONS,
    ),
    "inventory": Kind(
        "inventories",
        {
            "name": NAME,
            "description": TEXT,
            "organization": _reference("organization", required=True, cascades=True),
            "kind": Field(choices=("", "smart", "constructed")),
            "host_filter": Field(default=None),
            "variables": TEXT,
            "prevent_instance_group_fallback": NO,
        },
        unique=("organization", "name"),
        lists=INSTANCE_GROUPS,
    ),
    "inventory_source": Kind(
        "inventory_sources",
        {
            "name": NAME,
            "description": TEXT,
            # AWX takes it from the inventory.
            "organization": ORGANIZATION,
            "inventory": _reference("inventory", required=True, cascades=True),
            "source": Field(choices=("scm", "azure_rm", "controller")),
            "source_project": _reference("project", cascades=True),
            "source_path": TEXT,
            "source_vars": TEXT,
            "credential": _reference("credential"),
            "execution_environment": ENVIRONMENT,
            "overwrite": NO,
            "overwrite_vars": NO,
            "update_on_launch": NO,
            "update_cache_timeout": ZERO,
        },
        unique=("inventory", "name"),
        lists=NOTIFICATIONS,
    ),
    "job_template": Kind(
        "job_templates",
        {
            "name": NAME,
            "description": TEXT,
            "organization": ORGANIZATION,
            "project": _reference("project", required=True),
            "inventory": _reference("inventory"),
            "execution_environment": ENVIRONMENT,
            "playbook": Field(required=True),
            "job_type": Field(default="run", choices=("run", "check")),
            "verbosity": Field(default=0, choices=(0, 1, 2, 3, 4, 5)),
            "timeout": ZERO,
            "forks": ZERO,
            "job_slice_count": Field(default=1),
            "limit": TEXT,
            "extra_vars": TEXT,
            "survey_enabled": NO,
            "allow_simultaneous": NO,
            "prevent_instance_group_fallback": NO,
            **{f"ask_{name}_on_launch": NO for name in ASKED},
        },
        unique=("organization", "name"),
        lists={"credentials": "credential", **INSTANCE_GROUPS, **NOTIFICATIONS},
        has_survey=True,
    ),
    "workflow_job_template": Kind(
        "workflow_job_templates",
        {
            "name": NAME,
            "description": TEXT,
            "organization": ORGANIZATION,
            "allow_simultaneous": NO,
            "ask_variables_on_launch": NO,
        },
        unique=("organization", "name"),
        lists=NOTIFICATIONS,
    ),
    "workflow_job_template_node": Kind(
        "workflow_job_template_nodes",
        {
            "identifier": NAME,
            "workflow_job_template": _reference("workflow_job_template", required=True, cascades=True),
            "unified_job_template": _reference(*UNIFIED),
            "extra_data": Field(default={}),
        },
        unique=("workflow_job_template", "identifier"),
        lists=dict.fromkeys(("success_nodes", "failure_nodes", "always_nodes"), "workflow_job_template_node"),
    ),
    "schedule": Kind(
        "schedules",
        {
            "name": NAME,
            "description": TEXT,
            "unified_job_template": _reference(*UNIFIED, required=True, cascades=True),
            "rrule": Field(required=True),
            "enabled": Field(default=True),
            "extra_data": Field(default={}),
        },
        unique=("unified_job_template", "name"),
    ),
    "instance_group": Kind(
        "instance_groups",
        {
            "name": NAME,
            "is_container_group": NO,
            "credential": _reference("credential"),
            "pod_spec_override": TEXT,
        },
    ),
}

ENDPOINTS = {kind.endpoint: name for name, kind in KINDS.items()}
