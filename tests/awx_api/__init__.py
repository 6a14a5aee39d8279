# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX's REST API, as far as the modules of awx.awx need it to make and remove what a job template is made of.

It models objects with their defaults, unique names, references and what is deleted with what; lists with filters and
pages; related lists (credentials, notifications, nodes); surveys; the update of a project; secrets that are answered as
``$encrypted$``; tokens; inventories that are deleted some time after they were asked to be; the extra variables that a
job gets; and the refusals that a set-up can run into: a playbook that is not in the project, two credentials of a type,
a type in use, a pod that is none of a container group or has its token mounted, a rule that is no schedule, variables
that are not asked for, answers that a survey does not allow, a manual project as the source of an inventory, another
organization for an execution environment.

It runs no jobs, knows one user, and keeps everything in memory. An unknown field is refused, where AWX ignores it.
"""

from __future__ import annotations

from awx_api.server import Controller
from awx_api.world import Call, World

__all__ = ["Call", "Controller", "World"]
