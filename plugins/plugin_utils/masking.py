# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""Secrets out of whatever is shown or returned, by what the ansible-core at hand has for that."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common import parameters

try:
    # From 2.22 on; what is registered is masked in all that this process shows later, too.
    from ansible.module_utils import secrets as _secrets  # type: ignore[attr-defined,unused-ignore]
except ImportError:
    _secrets = None


def masked(value: t.Any, hidden: t.Collection[str]) -> t.Any:
    """Return ``value``, plain data of any depth, with each of ``hidden`` masked wherever it occurs in a text."""
    # An empty answer of a survey is no secret, and would be found between any two characters.
    known = {secret for secret in hidden if secret}
    if _secrets is None:
        # Each text is searched for each secret, and a thousand tenants have a thousand tokens, longer than any text.
        longest = _longest(value)
        return parameters.remove_values(value, {secret for secret in known if len(secret) <= longest})
    _secrets.register_secrets(known)
    return _masked(value)


def _longest(value: t.Any) -> int:
    """The length of the longest text in plain data, as what is no text would be written."""
    if isinstance(value, t.Mapping):
        return max((max(_longest(name), _longest(entry)) for name, entry in value.items()), default=0)
    if isinstance(value, (list, tuple, set)):
        return max(map(_longest, value), default=0)
    return len(value) if isinstance(value, (str, bytes)) else len(str(value))


def _masked(value: t.Any) -> t.Any:
    if isinstance(value, str):
        return _secrets.mask_secrets(value, mask_placeholder="********")
    if isinstance(value, t.Mapping):
        # Names are those of options and results, as for Ansible's own masks.
        return {name: _masked(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(entry) for entry in value]
    return value
