# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in the guides, for the tests that look at them and run them."""

from __future__ import annotations

import re
import textwrap


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language in a page of reStructuredText, without their indentation."""
    found = re.findall(rf"^( *)\.\. code-block:: {language}\n\n((?:\1 +.*\n|\n)+)", text, re.MULTILINE)
    return [textwrap.dedent(block).strip("\n") + "\n" for _indent, block in found]


def script(text: str) -> str:
    """All that a page tells to type into a shell, in its order; lines without a prompt go with the one before."""
    return "".join(re.sub(r"^\$ ", "", block, flags=re.MULTILINE) for block in blocks(text, "console"))
