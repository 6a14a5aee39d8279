# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every text in the plugins that a user may meet, in one file, so that a change of words is seen in review.

Run it to write ``tests/contract/sentences.txt`` anew.
"""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "contract" / "sentences.txt"
FOLDERS = ("action", "inventory", "module_utils", "plugin_utils")


def texts(source: str) -> t.Iterator[str]:
    """Every text of two words or more in Python source; what is put into it stands in braces.

    Documentation, types, patterns, markup and texts of many lines are left out.
    """
    tree = ast.parse(source)
    left_out: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            left_out.add(node.value)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("re.compile", "t.cast"):
            left_out.update(node.args[:1])
        if isinstance(node, ast.JoinedStr):
            left_out.update({*ast.walk(node)} - {node})
    for node in ast.walk(tree):
        if node in left_out:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(_part(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if " " in text.strip() and "\n" not in text and not text.startswith(("<", "%")):
            yield text


def _part(part: ast.expr) -> str:
    return f"{{{ast.unparse(part.value)}}}" if isinstance(part, ast.FormattedValue) else str(ast.literal_eval(part))


def sentences() -> str:
    """The texts of all plugins, each once and sorted, so that no move of code shows in it."""
    found: set[str] = set()
    for folder in FOLDERS:
        for path in (ROOT / "plugins" / folder).rglob("*.py"):
            found.update(texts(path.read_text(encoding="utf-8")))
    return "\n".join(sorted(found)) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(sentences(), encoding="utf-8")
