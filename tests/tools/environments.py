# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make virtual environments, by uv where there is one: pip takes ten times as long, and there are a dozen of them.

Run with a folder and requirement files, it makes that environment anew; with ``--update`` before them, it installs into
what there is. Run with nothing, it provides uv.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import typing as t
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = ROOT / ".build" / "uv"

# What pip calls a setting, and the variable by which uv takes it, with what stands between several values.
SETTINGS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "),
    "constraint": ("UV_CONSTRAINT", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
}


def pip_settings(python: Path) -> t.Iterator[tuple[str, str, str]]:
    """Yield section, name and value of each of pip's settings; of two for one name the later one counts."""
    command = [str(python), "-m", "pip", "config", "list"]
    listing = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    # The environment is listed first and must come last, because it wins.
    for line in reversed(listing.splitlines()):
        name, value = line.split("=", 1)
        section, option = name.split(".", 1)
        yield section.replace(":env:", "global"), option.lstrip("."), ast.literal_eval(value)


@cache
def uv() -> tuple[str, dict[str, str]] | None:
    """Return the program and its environment, in which it asks the same indexes as pip; None without the program."""
    program = UV / "bin" / "uv"
    if not program.exists():
        return None
    # Like pip, the best version of all indexes and not that of the first.
    environment = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_NO_CONFIG": "1"}
    for _section, option, value in pip_settings(UV / "bin" / "python"):
        if option in SETTINGS:
            name, between = SETTINGS[option]
            environment[name] = between.join(value.split())
    return str(program), {**environment, **os.environ}


def provide_uv() -> None:
    """Install uv; where no index has one for this machine, pip will have to do."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", UV], check=True)
    pip = [str(UV / "bin" / "pip"), "install", "--quiet", "--quiet", "--only-binary=:all:", "uv"]
    if subprocess.run(pip, check=False).returncode:
        print("Without uv, pip makes the environments, and that takes longer.", flush=True)


def make(path: Path, *arguments: str, python: str | Path = sys.executable) -> None:
    """Make an environment anew, of this or another Python, with pip in it.

    :param arguments: requirements, and options that pip and uv have in common.
    :raise subprocess.CalledProcessError: it cannot be made.
    """
    shutil.rmtree(path, ignore_errors=True)
    without_pip = ["--without-pip"] if uv() else []
    subprocess.run([str(python), "-m", "venv", *without_pip, str(path)], check=True)
    if uv():
        install(path, "pip")
    install(path, *arguments)


def install(path: Path, *arguments: str) -> None:
    """Install into an environment."""
    python = str(path / "bin" / "python")
    if uv_ := uv():
        program, environment = uv_
        command = [program, "pip", "install", "--quiet", "--python", python, *arguments]
        if subprocess.run(command, env=environment, check=False).returncode == 0:
            return
        print(f"uv could not install {' '.join(arguments)}: pip tries.", flush=True)
        subprocess.run([python, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL, check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--quiet", *arguments], check=True)


def main() -> None:
    """Do as the command line says."""
    arguments = sys.argv[1:]
    if not arguments:
        return provide_uv()
    do = install if arguments[0] == "--update" else make
    folder, *files = [argument for argument in arguments if argument != "--update"]
    return do(Path(folder), *(f"--requirement={file}" for file in files))


if __name__ == "__main__":
    main()
