# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Federated tokens: what one says, and the federated credential that would accept it."""

from __future__ import annotations

import json
import re
import shlex
import typing as t
from datetime import datetime

from .._ground import timestamps
from .._ground.clouds import Endpoints
from .claims import text_claim, time_claim

# What Entra ID takes of each, and of the name of a credential:
# https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
_LONGEST = 600
_LONGEST_NAME = 120


def described(found: t.Mapping[str, t.Any], client_id: str, hosts: Endpoints, now: datetime) -> dict[str, t.Any]:
    """Results about a federated token.

    :param found: its claims.
    :param client_id: the app that it is for.
    :returns: ``federated_token``, and ``federated_credential`` if the token says all that is needed for one.
    """
    issued, expires = (time_claim(found, name) for name in ("iat", "exp"))
    seconds = (expires - issued).total_seconds() if issued and expires else None
    result: dict[str, t.Any] = {
        "federated_token": {
            "issuer": text_claim(found, "iss"),
            "subject": text_claim(found, "sub"),
            "audience": text_claim(found, "aud"),
            "issued_at": timestamps.text(issued),
            "expires_at": timestamps.text(expires),
            "expires_in": None if expires is None else int((expires - now).total_seconds()),
            "lifetime": None if seconds is None else int(seconds),
        }
    }
    issuer, subject, audience = (_exact(found, name) for name in ("iss", "sub", "aud"))
    if issuer and subject and audience:
        body = {"name": _name(subject), "issuer": issuer, "subject": subject, "audiences": [audience]}
        result["federated_credential"] = {
            "command": f"az ad app federated-credential create --id {shlex.quote(client_id)}"
            f" --parameters {shlex.quote(json.dumps(body))}",
            "url": f"{hosts.graph_url}/v1.0/applications(appId='{client_id}')/federatedIdentityCredentials",
            "body": body,
        }
    return result


def _exact(found: t.Mapping[str, t.Any], name: str) -> str:
    """A claim as it is, for it has to be the same letter by letter; "" if it cannot be part of a credential."""
    value = found.get(name)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    good = isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST
    return str(value) if good else ""


def _name(subject: str) -> str:
    """A name for a credential: letters, digits and dashes."""
    words = re.sub(r"[^0-9A-Za-z]+", "-", f"intune-{subject}").strip("-")
    return words[:_LONGEST_NAME].rstrip("-")
