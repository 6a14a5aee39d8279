# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Who signs in, with what, whether that works, and what it allows: what ``intune_sign_in_info`` tells.

:func:`look` asks whoever has to be asked, and cannot fail for what it is to explain. All that follows from what was
found is in functions of plain values.
"""

from __future__ import annotations

import typing as t
from datetime import datetime
from urllib.parse import urlsplit

from .._graph.permissions import lacking
from .._ground import errors, tenant_ids, timestamps
from .._ground.errors import APP, SOMEONE, USER
from .._ground.option_values import OptionValue
from .._http import connections, proxies
from .._http.connection import Connection
from .._identity import choice, claims, consent, method_oidc, tenant_lookup, token_facts
from .._identity.aadsts import WANTS_CONSENT
from .._identity.identity import Identity, read_given, read_identity
from .._identity.method import Given, Inspection, is_or_are, listed
from .._identity.tenant_lookup import TenantFound
from .._identity.token_facts import TokenFacts
from .._kinds.kind import Kind
from . import probes
from .probes import Probe
from .session import Context, Session, open_graph

# What makes the task fail, if it is asked to.
TROUBLES = ("sign_in", "permission", "probe")
# Days before its end from which a certificate is warned of.
_WARN_DAYS = 30
# Seconds that Entra ID allows between its clock and that of whoever signs in.
_CLOCK_SKEW = 300


class Problem(t.NamedTuple):
    """Something to do.

    :param trouble: one of :data:`TROUBLES`, or "" for what may become one.
    :param clause: what is wrong, and what to do about it.
    """

    trouble: str
    clause: str

    @property
    def sentence(self) -> str:
        """It as a sentence of its own."""
        return _sentence(self.clause)


class Found(t.NamedTuple):
    """What was found out.

    :param auth_source: what the user says, ``auto`` included.
    :param named: what options and environment say of the hosts.
    :param identity: None if none is complete, or something of it cannot be right.
    :param failure: why there is no token; None if there is one.
    :param facts: what the token says of itself; None if there is none.
    :param details: what may be shown of the credential.
    :param connection: how each host is asked.
    :param tenant: what Entra ID says of the tenant that is named; None if it was not asked.
    :param probed: by kind, what Graph answered; None if it was not asked.
    """

    auth_source: str
    named: t.Mapping[str, OptionValue]
    given: Given
    now: datetime
    identity: Identity | None = None
    failure: errors.IntuneError | None = None
    facts: TokenFacts | None = None
    details: t.Mapping[str, t.Any] = {}
    connection: t.Mapping[str, t.Any] = {}
    tenant: TenantFound | None = None
    probed: t.Mapping[str, Probe] | None = None


def look(
    kinds: t.Sequence[Kind],
    params: t.Mapping[str, t.Any],
    connection: Connection,
    context: Context,
    *,
    probe: bool,
) -> Found:
    """Sign in as the modules do, and look at what comes of it.

    :param params: those of the identity.
    :param probe: whether to ask Graph for one of each kind, too.
    :raises MissingLibraryError: requests or msal is missing.
    """
    named, given = read_given(params, context.environ, context.own)
    found = Found(params["auth_source"] or "auto", named, given, context.clock.now())
    try:
        identity = read_identity(params, context.environ, context.own)
    except errors.OptionError as error:
        return found._replace(failure=error)
    found = found._replace(identity=identity, connection=_connection(identity, connection, given.environ))
    needed = dict.fromkeys(name for kind in kinds for name in _to_sync(kind) or (kind.permission,))
    permission = " and ".join(needed)
    session, failure = _signed_in(identity, connection, context, permission)
    if session and isinstance(failure, errors.SignInError) and _lacks_assertion(identity, session):
        # Another task met the refusal, which holds for a while, and what was refused then is not known here.
        session, failure = _signed_in(identity, connection, context._replace(shared_tokens=None), permission)
    try:
        return _looked_at(kinds, found._replace(failure=failure), identity, session, probe=probe)
    finally:
        context.hide(session.sign_in.tokens if session else ())


def _signed_in(
    identity: Identity, connection: Connection, context: Context, permission: str
) -> tuple[Session | None, errors.IntuneError | None]:
    """Sign in.

    :returns: whom to ask, None if that cannot be; and why there is no token, None if there is one.
    """
    session = None
    try:
        session = open_graph(identity, connection, context, permission=permission)
        session.sign_in.token()
    except errors.MissingLibraryError:
        raise
    except errors.IntuneError as error:
        return session, error
    return session, None


def _lacks_assertion(identity: Identity, session: Session) -> bool:
    return identity.method is method_oidc.OF_RUNNER and not session.sign_in.assertion


def _looked_at(
    kinds: t.Sequence[Kind], found: Found, identity: Identity, session: Session | None, *, probe: bool
) -> Found:
    http = session.graph.http if session else None
    assertion = session.sign_in.assertion if session else ""
    token = session.sign_in.token() if session and not found.failure else ""
    if token:
        found = found._replace(facts=token_facts.read(claims.claims(token)))
    inspection = Inspection(identity, http, found.given.environ, found.now, assertion)
    found = found._replace(details=identity.method.inspect(inspection))
    if http and _wants_lookup(found, identity):
        found = found._replace(tenant=tenant_lookup.look_up(identity, http))
    if session and token and probe:
        found = found._replace(probed=probes.run(kinds, session.graph))
    return found


def _wants_lookup(found: Found, identity: Identity) -> bool:
    """Whether Entra ID has something to say of the tenant: which one a domain is, or by its clock why it refuses.

    A user's own tenant has no name here, nor has that of a token or host unless it is given.
    """
    name = identity.values["tenant"]
    if not name or isinstance(found.failure, errors.Unavailable):
        return False
    known = found.facts is not None and bool(found.facts.tenant_id)
    compared = (known and not identity.method.uses_msal) or identity.only_tenant is not None
    return not known or (compared and not tenant_ids.is_guid(name))


def _connection(identity: Identity, connection: Connection, environ: t.Mapping[str, str]) -> dict[str, t.Any]:
    """How Graph and Entra ID are asked: host, proxy, and whose certificates are trusted."""
    if not connections.HAS_REQUESTS:
        return {}
    authorities = " ".join(connections.trusted(connection.ca_path, environ))
    result = {}
    for name, url in (("graph", identity.hosts.graph_url), ("authority", identity.hosts.authority_url)):
        try:
            proxy = proxies.proxy_host(url, environ) or None
        except errors.NoResponse:
            # What is wrong with it, the sign-in says.
            proxy = "unusable"
        result[name] = {
            "host": urlsplit(url).netloc,
            "proxy": proxy,
            "authorities": authorities if connection.validate_certs else "not checked",
        }
    return result


def as_dict(kinds: t.Sequence[Kind], found: Found, wrong: t.Iterable[Problem]) -> dict[str, t.Any]:
    """The result.

    :param wrong: its :func:`problems`.
    """
    identity, given = found.identity, found.given
    facts = found.facts or TokenFacts()
    taken = identity.method if identity else None
    values = identity.values if identity else {name: value.value for name, value in given.values.items()}
    domain = values["tenant"] if not tenant_ids.is_guid(values["tenant"]) else ""
    told = facts.as_dict(found.now)
    named_by = choice.sources({**given.values, **found.named})
    if identity and taken is method_oidc.OF_RUNNER:
        # What its runner gives to the job, by what the job proves itself with.
        named_by["oidc_token"] = identity.sent[0].source
    difference = _clock_difference(found)
    return {
        "changed": False,
        "signed_in": found.failure is None,
        "auth_source": taken.source if taken else None,
        "auth_source_reason": choice.reason(found.auth_source, given, taken) if taken else None,
        "passed_over": choice.passed_over(given, taken) if found.auth_source == "auto" else [],
        "sources": named_by,
        "tenant_id": tenant_id(found) or None,
        "tenant_domain": domain or None,
        **told,
        "client_id": told["client_id"] or (identity.client_id if identity else values["client_id"]) or None,
        "cloud": found.named["cloud_environment"].value or "AzureCloud",
        "clock_difference": None if difference is None else int(difference),
        "connection": dict(found.connection),
        **found.details,
        "permissions": permissions(kinds, found),
        **({} if found.probed is None else {"probes": {name: one.as_dict() for name, one in found.probed.items()}}),
        "problems": [problem.sentence for problem in wrong],
        "request_id": found.failure.request_id if found.failure else None,
    }


def tenant_id(found: Found) -> str:
    """The tenant's GUID, as far as it is known: from the token, from Entra ID, or as it is named."""
    named = found.given.values["tenant"].value
    facts = found.facts or TokenFacts()
    return (
        facts.tenant_id
        or (found.tenant.tenant_id if found.tenant else "")
        or (named.lower() if tenant_ids.is_guid(named) else "")
    )


def _clock_difference(found: Found) -> float | None:
    """How many seconds Microsoft's clock is ahead of this host's; None if nobody told."""
    dates = [probe.date for probe in (found.probed or {}).values() if probe.date]
    dates += [found.tenant.date] if found.tenant and found.tenant.date else []
    return (dates[0] - found.now).total_seconds() if dates else None


def _to_sync(kind: Kind) -> tuple[str, ...]:
    """The permissions that a synchronisation takes, reading included; none for what has none."""
    return kind.action.permissions if kind.action else ()


def _sentence(clause: str) -> str:
    # The name of an option stays as it is.
    begins = clause[0].upper() if clause.partition(" ")[0].isalpha() or clause.startswith("sign-in") else clause[0]
    return f"{begins}{clause[1:]}."


def permissions(kinds: t.Sequence[Kind], found: Found) -> dict[str, dict[str, t.Any]]:
    """For each kind, whether it can be read and synchronised, what is missing, and who does what about it."""
    facts = found.facts or TokenFacts()
    result = {}
    for kind in kinds:
        syncs: str | None
        needed = _to_sync(kind)
        if facts.granted is None:
            reads, syncs, missing = "unknown", "unknown", []
        else:
            # An app is asked for nothing else; what a user may do, a role in Intune decides as well.
            may = "yes" if facts.asker == APP or facts.administrator else "unknown"
            to_sync, to_read = lacking(needed, facts.granted), lacking([kind.permission], facts.granted)
            reads, syncs = ("no" if names else may for names in (to_read, to_sync))
            missing = [*lacking(to_read, to_sync), *to_sync]
        entry = {"reads": reads, "syncs": syncs if needed else None, "missing": missing}
        clause = _remedy(missing, found, facts) if missing else ""
        result[kind.name] = {**entry, "remedy": _sentence(clause) if clause else None}
    return result


def _remedy(missing: t.Sequence[str], found: Found, facts: TokenFacts) -> str:
    identity = found.identity
    if identity is None:
        return ""
    return consent.remedy(
        missing,
        facts.asker if facts.asker != SOMEONE else USER,
        auth_source=identity.method.source,
        client_id=facts.client_id or identity.client_id,
        tenant=tenant_id(found) or identity.values["tenant"],
        authority_url=identity.hosts.authority_url,
    )


def problems(kinds: t.Sequence[Kind], found: Found) -> list[Problem]:
    """All that is wrong or soon will be, the worst first."""
    return [
        *([Problem("sign_in", found.failure.sentence().rstrip("."))] if found.failure else []),
        *_of_consent(found),
        *_of_credential(found),
        *_of_clock(found),
        *_of_token(found),
        *_of_permissions(kinds, found),
        *_of_probes(found),
        *_of_later(found),
    ]


def _of_consent(found: Found) -> t.Iterator[Problem]:
    """Where an administrator consents to an app that the tenant does not know, or not enough."""
    failure, identity = found.failure, found.identity
    if identity and isinstance(failure, errors.SignInError) and failure.code in WANTS_CONSENT:
        tenant = identity.values["tenant"]
        address = consent.consent_address(identity.hosts.authority_url, tenant, identity.client_id)
        yield Problem("sign_in", f"an administrator of tenant {tenant} can consent to the app at {address}")


def _of_credential(found: Found) -> t.Iterator[Problem]:
    """What a credential has that is refused, where Entra ID's sentence does not say it all."""
    certificate, assertion = (found.details.get(name) for name in ("certificate", "federated_token"))
    if certificate and certificate["days_left"] < 0:
        yield Problem(
            "sign_in",
            f"the certificate {certificate['subject']} expired on {certificate['expires_at']}; make a new one, and"
            " upload it to the app registration",
        )
    if certificate and not certificate["key_fits"]:
        yield Problem(
            "sign_in",
            f"the key beside the certificate {certificate['subject']} is that of another one; put the key that belongs"
            " to it into x509_certificate_path",
        )
    if assertion and found.failure and found.identity:
        seconds = assertion["expires_in"]
        if seconds is not None and seconds < 0:
            yield Problem(
                "sign_in",
                f"the federated token expired {timestamps.humanize(-seconds)} ago; see that it is renewed",
            )
        wanted = found.identity.federation_audience
        if assertion["audience"] != wanted:
            yield Problem(
                "sign_in",
                f"the federated token is for {assertion['audience'] or 'nobody'}, and Entra ID wants {wanted} in this"
                " cloud, unless the app's federated credential names another audience; have it made for that",
            )


def _of_clock(found: Found) -> t.Iterator[Problem]:
    difference = _clock_difference(found)
    if difference is not None and abs(difference) > _CLOCK_SKEW:
        behind = "behind" if difference > 0 else "ahead of"
        yield Problem(
            # As long as the sign-in goes well, times that are compared are Microsoft's.
            "sign_in" if found.failure else "",
            f"the clock of this host is {timestamps.humanize(abs(difference))} {behind} Microsoft's; set it (NTP)",
        )


def _of_token(found: Found) -> t.Iterator[Problem]:
    facts, identity = found.facts, found.identity
    if facts is None or identity is None:
        return
    if facts.granted is None:
        yield Problem(
            "",
            "the access token cannot be read here, which is no fault of it, so nobody can tell what it allows; set"
            " probe to true to ask Graph",
        )
        return
    if facts.expires is not None and facts.expires <= found.now:
        yield Problem("sign_in", f"the access token expired on {timestamps.text(facts.expires)}; take a new one")
    if not facts.is_for(identity.hosts.graph_url):
        yield Problem(
            "sign_in",
            f"the access token is for {facts.audience}, and not for {identity.hosts.graph_url}; take one for this"
            " Graph, or check graph_url and cloud_environment",
        )
    named = identity.values["tenant"]
    wanted = named.lower() if tenant_ids.is_guid(named) else found.tenant.tenant_id if found.tenant else ""
    if wanted and facts.tenant_id and facts.tenant_id.lower() != wanted:
        yield Problem(
            "sign_in",
            f"the access token is of tenant {facts.tenant_id}, and not of {named}, which tenant names; sign in in a way"
            " that belongs to that one, or leave tenant out",
        )


def _of_permissions(kinds: t.Sequence[Kind], found: Found) -> t.Iterator[Problem]:
    """What is missing, by the remedy: what one administrator grants for several kinds is one problem."""
    together: dict[tuple[str, ...], list[str]] = {}
    for name, entry in permissions(kinds, found).items():
        if entry["missing"]:
            together.setdefault(tuple(entry["missing"]), []).append(name)
    for missing, names in together.items():
        clause = _remedy(missing, found, found.facts or TokenFacts())
        yield Problem("permission", f"{listed(missing)} {is_or_are(missing)} missing for {listed(names)}; {clause}")


def _of_probes(found: Found) -> t.Iterator[Problem]:
    for name, probe in (found.probed or {}).items():
        if not probe.good:
            yield Problem("probe", f"{name}: {probe.msg.rstrip('.')}")


def _of_later(found: Found) -> t.Iterator[Problem]:
    """What works today."""
    certificate = found.details.get("certificate")
    if certificate and 0 <= certificate["days_left"] <= _WARN_DAYS:
        within = timestamps.within_days(certificate["days_left"])
        yield Problem(
            "",
            f"the certificate {certificate['subject']} expires {within}, on {certificate['expires_at']}; make a new"
            " one, and upload it to the app registration",
        )
    if (
        found.failure is None
        and found.auth_source == "auto"
        and found.identity
        and not found.identity.method.credentials
    ):
        for way in choice.passed_over(found.given, found.identity.method):
            yield Problem(
                "",
                f"{listed(way['given'])} {is_or_are(way['given'])} given, but {way['why']}, so auth_source"
                f" {found.identity.method.source} is taken and not {way['auth_source']}",
            )
