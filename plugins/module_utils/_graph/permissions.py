# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What Graph lets somebody do who was granted some permissions.

Which permission a kind takes, the kind itself says.
"""

from __future__ import annotations

import typing as t

# https://learn.microsoft.com/graph/permissions-overview: who may write may read.
_WRITES, _READS = ".ReadWrite.", ".Read."


def lacking(needed: t.Iterable[str], granted: t.Iterable[str]) -> list[str]:
    """Those of the needed permissions that are not granted, nor included in one that is.

    One with ``ReadWrite`` includes that of the same name with ``Read``; letters may be large or small.
    """
    have = {name.lower() for name in granted}
    have |= {name.replace(_WRITES.lower(), _READS.lower()) for name in have}
    return [name for name in needed if name.lower() not in have]
