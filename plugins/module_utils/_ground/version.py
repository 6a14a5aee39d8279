# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The version of this collection, as it introduces itself to Graph and Entra ID.

A module that runs on another host carries no galaxy.yml along, so the number stands here too;
a test holds the two together.
"""

from __future__ import annotations

VERSION = "1.1.0"
