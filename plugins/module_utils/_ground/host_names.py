# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Names of hosts made of what things are called outside, so that one name means one host wherever it is written."""

from __future__ import annotations

import hashlib
import re
import typing as t
import unicodedata
from collections import Counter

# A host pattern splits at colons and commas, and "!", "&", "~", "*", "?", "@", brackets and a leading dash mean more:
# https://docs.ansible.com/ansible/latest/inventory_guide/intro_patterns.html
_NOT_IN_A_NAME = re.compile(r"^-+|[^\w.-]")
# Letters to Unicode, but nothing is seen of them.
_FILLERS = re.compile("[\u115f\u1160\u3164\uffa0]")
# What Ansible calls its own.
_TAKEN = frozenset(("all", "ungrouped", "localhost", "127.0.0.1", "::1"))


def safe_name(text: str) -> str:
    """Make of a text a name that means nothing else in a host pattern or on a command line."""
    return _NOT_IN_A_NAME.sub("_", _FILLERS.sub("_", unicodedata.normalize("NFKC", text)))


def host_names(texts: t.Iterable[str]) -> dict[str, str]:
    """Name a host for each of these texts.

    A name depends on its own text alone, unless another one would get the same, or Ansible has it already: such a name
    gets eight digits that follow from its text. So an inventory and an event source that are given the same texts give
    the same names.

    :returns: the name by the text; no two are the same.
    """
    names = {text: safe_name(text) or "_" for text in texts}
    for length in range(8, 65, 8):
        counts = Counter(names.values())
        for text, name in names.items():
            if counts[name] > 1 or name in _TAKEN:
                digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
                names[text] = f"{safe_name(text)}-{digest[:length]}"
    return names


def tenant_host_names(names: t.Mapping[str, str]) -> dict[str, str]:
    """Name a host for each tenant, by what the tenant is called.

    Those that are called exactly the same are told apart by the tenant, which then is part of each one's name.

    :param names: what each tenant is called, by the tenant.
    :returns: the name of the host, by the tenant; no two are the same.
    """
    # Of the sign that then stands before the tenant, names have none: so no other name can be the same text.
    texts = {tenant: name.replace("\0", "_") for tenant, name in names.items()}
    counts = Counter(texts.values())
    texts = {tenant: text if counts[text] == 1 else f"{text}\0{tenant}" for tenant, text in texts.items()}
    hosts = host_names(texts.values())
    return {tenant: hosts[text] for tenant, text in texts.items()}
