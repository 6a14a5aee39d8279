# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check of client assertions (JWT signed with the key of a registered certificate)."""

from __future__ import annotations

import base64
import typing as t
from datetime import datetime

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import Certificate, load_pem_x509_certificate

from simulator.directory import FederatedCredential
from simulator.errors import EntraError

# Entra tolerates this many seconds between its clock and the client's.
CLOCK_SKEW = 300


def check_assertion(
    assertion: str, certificate_pem: str, client_id: str, audiences: t.Collection[str], now: datetime
) -> None:
    """Refuse ``assertion`` unless it is good for ``client_id`` at one of the token endpoints ``audiences``.

    Source of what is checked: "Microsoft identity platform application authentication certificate credentials".
    """
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as e:
        raise EntraError(401, "invalid_client", 50027, "JWT token is invalid or malformed.") from e
    certificate = load_pem_x509_certificate(certificate_pem.encode())
    if not _names(header, certificate):
        raise _not_registered(client_id, "The key was not found")
    try:
        claims: dict[str, t.Any] = jwt.decode(
            assertion,
            certificate.public_key(),  # type: ignore[arg-type]  # any other kind of key fails in the decoding
            algorithms=["RS256", "PS256"],
            # The times are judged below by the clock of the world, which need not be the real one.
            options={
                "verify_aud": False,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "require": ["aud", "exp", "iss", "sub"],
            },
        )
    except jwt.MissingRequiredClaimError as e:
        raise EntraError(401, "invalid_client", 50027, f"JWT token is invalid or malformed. {e}") from e
    except jwt.InvalidTokenError as e:
        raise _not_registered(client_id, "The key used is invalid") from e

    if not str(claims["iss"]).lower() == str(claims["sub"]).lower() == client_id:
        raise EntraError(
            401,
            "invalid_client",
            700021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        )
    if claims["aud"] not in audiences:
        raise EntraError(401, "invalid_client", 700023, "Client assertion audience claim does not match Realm issuer.")
    seconds = now.timestamp()
    if not float(claims.get("nbf", 0)) - CLOCK_SKEW <= seconds <= float(claims["exp"]) + CLOCK_SKEW:
        raise EntraError(
            401,
            "invalid_client",
            700024,
            f"Client assertion is not within its valid time range. Current time: {now:%Y-%m-%dT%H:%M:%SZ}.",
        )


def is_own(assertion: str, client_id: str) -> bool:
    """Whether ``assertion`` says that the app itself has made it, and no other issuer."""
    try:
        claims: dict[str, t.Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return False
    return claims.get("iss") == client_id


def check_federated(assertion: str, trusted: t.Sequence[FederatedCredential], now: datetime) -> None:
    """Refuse ``assertion``, the token of another issuer, unless one of the federated credentials fits.

    Its signature is not looked at. Sources: "Workload identity federation considerations", "Troubleshoot an Azure
    Resource Manager workload identity service connection", and refusals quoted in public issue reports.
    """
    try:
        claims: dict[str, t.Any] = jwt.decode(
            assertion, options={"verify_signature": False, "require": ["aud", "exp", "iss", "sub"]}
        )
    except jwt.InvalidTokenError as e:
        raise EntraError(401, "invalid_client", 50027, "JWT token is invalid or malformed.") from e
    issuer, subject, audience = claims["iss"], claims["sub"], claims["aud"]
    of_issuer = [one for one in trusted if one.issuer == issuer]
    of_subject = [one for one in of_issuer if one.subject == subject]
    if not of_issuer:
        raise _no_match(700211, f"issuer '{issuer}'")
    if not of_subject and any(one.subject.lower() == subject.lower() for one in of_issuer):
        raise _no_match(7002138, f"subject '{subject}', but for the case of its letters")
    if not of_subject:
        raise _no_match(700213, f"subject '{subject}'")
    if all(one.audience != audience for one in of_subject):
        raise _no_match(700212, f"audience '{audience}'")
    if now.timestamp() > float(claims["exp"]) + CLOCK_SKEW:
        raise EntraError(
            401,
            "invalid_client",
            700024,
            f"Client assertion is not within its valid time range. Current time: {now:%Y-%m-%dT%H:%M:%SZ}.",
        )


def _no_match(code: int, what: str) -> EntraError:
    return EntraError(
        401,
        "invalid_client",
        code,
        f"No matching federated identity record found for presented assertion {what}. Check your federated identity "
        "credential Subject, Audience and Issuer against the presented assertion.",
    )


def _names(header: dict[str, t.Any], certificate: Certificate) -> bool:
    """Whether the assertion's header names ``certificate`` by one of its thumbprints."""
    known = {
        "x5t": certificate.fingerprint(hashes.SHA1()),  # noqa: S303 - what the header is defined to hold
        "x5t#S256": certificate.fingerprint(hashes.SHA256()),
    }
    return any(
        header.get(name) == base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
        or header.get(name) == base64.urlsafe_b64encode(thumbprint).decode()
        for name, thumbprint in known.items()
    )


def _not_registered(client_id: str, reason: str) -> EntraError:
    return EntraError(
        401,
        "invalid_client",
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - {reason}., Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see "
        f"configured keys for app Id '{client_id}'.]",
    )
