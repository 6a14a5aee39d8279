# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask PyPI for known vulnerabilities of what requirements.txt brings.

pip-audit takes a package that it found nothing about for a good one; here an audit that could not be done has failed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def verdict(report: dict[str, t.Any]) -> tuple[list[str], int]:
    """Return what to say of pip-audit's report, and the exit status."""
    packages = report["dependencies"]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    audited = [package for package in packages if "skip_reason" not in package]
    lines = [
        f"{package['name']} {package['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'none'}"
        for package in audited
        for found in package["vulns"]
    ]
    if audited:
        lines.append(f"{len(audited)} packages were audited, {len(lines)} vulnerabilities are known.")
    if skipped:
        lines.append(f"Not audited, as PyPI gave no answer about them: {', '.join(sorted(skipped))}.")
    good = audited and not skipped and len(lines) == 1
    return lines or ["There was nothing to audit."], 0 if good else 1


def main() -> int:
    """Run pip-audit and print the verdict."""
    options = ["--progress-spinner=off", "--format=json", f"--requirement={ROOT / 'requirements.txt'}"]
    # Its status is 0 when it could audit nothing, and 1 for vulnerabilities and for its own failures alike.
    process = subprocess.run([sys.executable, "-m", "pip_audit", *options], capture_output=True, text=True, check=False)
    if not process.stdout:
        print(process.stderr, file=sys.stderr)
        return 1
    lines, status = verdict(json.loads(process.stdout))
    print(*lines, sep="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
