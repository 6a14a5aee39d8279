# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells when a connector or token of Microsoft Intune goes stale, fails, or expires soon, for ansible-rulebook."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import sys
import typing as t
import uuid
from pathlib import Path

DOCUMENTATION = r"""
name: connectors_and_tokens
short_description: Events when connectors and tokens of Microsoft Intune go stale, fail, or expire soon
version_added: 1.1.0
description:
  - Looks at the connectors and tokens of one tenant, or of many, through Microsoft Graph, again and again. It only
    reads.
  - An event tells of a change, and a state that lasts is told once. So what a rule does about it is done once.
  - An event is C({"intune":{...},"meta":{"hosts":"..."}}). C(meta.hosts) is the tenant's name as the inventory plugin
    C(graphops.intune.tenants) makes a host of it, so that a playbook that is run runs for this tenant alone.
  - C(intune.edge) is C(stale) if the last synchronisation is older than O(max_age), or there was none; C(failed) if
    the last one failed; C(obstacle) if none can help, as of a token that is expired or a connector that is
    disconnected; C(expires_soon) if it ends within O(warn_days); C(unreadable) if it could not be read.
  - It is C(recovered) once nothing is wrong any more of what was C(failed), C(obstacle), C(expires_soon) or
    C(unreadable). Nothing is told when what was C(stale) is fresh again.
  - What is an obstacle or has failed is not called stale as well.
  - C(intune.tenant) is the tenant's name as given in O(tenants), C(intune.kind) one of O(kinds), C(intune.id) the
    object's id, C(intune.name) what it is called in Intune. If a whole kind could not be read, C(intune.id) and
    C(intune.name) are null; if a whole tenant could not be read, C(intune.kind) is null, too.
  - C(intune.age) is how many seconds ago it last synchronised, by Graph's clock, C(intune.days_left) the whole days
    until it expires; both are null where there is nothing of the kind. C(intune.message) is one sentence for people.
  - A tenant or kind counts as unreadable when the tries of a look at it, for which O(retry_timeout) allows, have all
    failed. What is in it is taken to be as it was until it can be read again. If Graph cannot be reached for an hour,
    that is one event for each tenant, and one when it is over.
  - What is no longer there is forgotten, without an event.
  - What was told is remembered for as long as the source runs, and not beyond; see O(initial).
author:
  - graphops.intune contributors (@graphops)
options:
  tenants:
    description:
      - The tenants to look at, each by its GUID or one of its domains, or as a dictionary with C(name), C(tenant) and
        options of the identity of its own. C(name) is what the tenant is called in events, and stands for C(tenant)
        if that is left out.
      - What a dictionary does not say is taken from the options beside O(tenants). If it has a credential of its own
        (or C(auth_source)), it takes none from there.
      - Without it, O(tenant) is looked at. Of the two options, one can be given; O(tenants) wins over E(AZURE_TENANT)
        and E(AZURE_TENANT_ID).
      - One identity for several tenants has to be an app that is registered for many and consented to in each of
        them. A ready access token and a managed identity belong to one tenant.
    type: list
    elements: raw
  kinds:
    description:
      - The kinds of connectors and tokens to look at.
    type: list
    elements: str
    default: [vpp_token, enrollment_program_token, autopilot, managed_google_play, exchange_connector]
    choices:
      - apple_push_certificate
      - autopilot
      - certificate_connector
      - enrollment_program_token
      - exchange_connector
      - managed_google_play
      - mobile_threat_defense_connector
      - vpp_token
  max_age:
    description:
      - From how many seconds since its last synchronisation on a thing is stale; a number for all kinds, or a
        dictionary with a number for some.
      - The default is twice the time after which Intune synchronises by itself - V(172800) for V(vpp_token) (once a
        day), V(86400) for V(enrollment_program_token) (every 12 hours), V(14400) for V(exchange_connector) (every two
        hours). For V(autopilot) and V(managed_google_play) Microsoft does not say; a day is assumed, and the default
        is V(172800).
      - V(certificate_connector) and V(mobile_threat_defense_connector) do not synchronise. If a number is given, it
        counts from the last connection or heartbeat. V(apple_push_certificate) is never stale.
    type: raw
  warn_days:
    description:
      - What expires within so many days does so soon. V(0) tells of the last day only.
    type: int
    default: 30
  interval:
    description:
      - How many seconds lie between the starts of two looks, at least 10. A look that takes longer, because many
        tenants are slow, is followed by the next one at once.
      - A look takes one request for each version of Graph and tenant, two for the default O(kinds), and a sign-in
        about once an hour.
    type: int
    default: 300
  initial:
    description:
      - What to do about what is wrong already when something is seen for the first time after the start.
      - V(all) tells of it. After a restart, what lasts is told once more.
      - V(none) takes it for known.
    type: str
    default: all
    choices: [all, none]
  repeat_after:
    description:
      - After how many seconds to tell again of what is still wrong. V(0) never does.
    type: int
    default: 0
  feedback:
    description:
      - Whether to wait for C(ansible-rulebook) to confirm each event. It does so once the rule engine has it, and
        wants event persistence for that, and a name of its own for each source of a ruleset.
      - What is not confirmed is told again after the next look, if it is still so.
    type: bool
    default: false
  feedback_timeout:
    description:
      - How many seconds to wait for that.
    type: int
    default: 120
  auth_source:
    description:
      - Which way to sign in.
      - V(auto) takes the first of the following that is complete, in this order - V(access_token), V(client_secret),
        V(certificate), V(oidc), V(refresh_token), V(password). Those whose proof (the token, secret, certificate or
        password) is given by options come before those whose proof is in the environment. O(tenant) and O(client_id)
        may come from either, the option winning. A O(secret) beside a O(refresh_token) from the same place is that
        app's proof, so V(refresh_token) is taken then.
      - If there is no such proof at all, V(auto) takes V(msi) where E(IDENTITY_ENDPOINT) or E(MSI_ENDPOINT) announces a
        managed identity, then V(cli) if somebody has signed in to the program C(az), then V(oidc) where O(tenant) and
        O(client_id) are given and the runner of this job gives a token for them, and then V(cli) if C(az) is installed.
      - V(access_token) uses O(access_token) as it is.
      - V(client_secret) needs O(tenant), O(client_id) and O(secret).
      - V(certificate) needs O(tenant), O(client_id) and O(x509_certificate_path).
      - V(oidc) needs O(tenant), O(client_id), and O(oidc_token) or O(oidc_token_file_path). Where neither is given, the
        runner of a job of GitHub Actions or Azure DevOps is asked for a token, anew for each sign-in.
      - >-
        To ask it, a job of GitHub Actions needs C(permissions: id-token: write), which sets
        E(ACTIONS_ID_TOKEN_REQUEST_URL) and E(ACTIONS_ID_TOKEN_REQUEST_TOKEN). A job of Azure DevOps needs
        O(service_connection_id), and E(SYSTEM_ACCESSTOKEN) mapped to C(System.AccessToken) beside its own
        E(SYSTEM_OIDCREQUESTURI).
      - V(refresh_token) needs O(tenant), O(client_id) and O(refresh_token).
      - V(password) needs O(username) and O(password). It works only for users without multi-factor authentication,
        and Microsoft advises against it.
      - V(msi) uses the managed identity of the host on which ansible-rulebook runs, the user-assigned one with
        O(client_id) if that is set.
      - V(cli) asks the Azure CLI on the host on which ansible-rulebook runs for a token. Only a CLI that has signed
        in as an app (C(az login --service-principal)) can get the permission that a synchronisation needs.
      - In every option of the identity but O(allow_environment_credential), an empty string counts as not given, and
        ends of lines around a value do not count.
    type: str
    default: auto
    choices: [auto, access_token, client_secret, certificate, oidc, refresh_token, password, msi, cli]
  tenant:
    description:
      - The Entra ID tenant, by its GUID or one of its domains.
      - If not set, the value of E(AZURE_TENANT) or E(AZURE_TENANT_ID) is used. With O(auth_source=password) it may be
        left out, the user's own tenant is used then.
    type: str
    aliases: [tenant_id]
  client_id:
    description:
      - The application (client) ID of the app registration, or of the user-assigned managed identity.
      - If not set, the value of E(AZURE_CLIENT_ID) is used. With O(auth_source=password) it may be left out,
        Microsoft's own app C(Microsoft Graph Command Line Tools) is used then.
    type: str
  secret:
    description:
      - The client secret of the app registration.
      - If not set, the value of E(AZURE_SECRET) or E(AZURE_CLIENT_SECRET) is used.
      - A confidential app may use it together with O(refresh_token), too, or with O(username) and O(password) and
        O(auth_source=password). One from the environment is used with an app that O(client_id) names unless the
        environment names another app.
    type: str
    aliases: [client_secret]
  x509_certificate_path:
    description:
      - A file on the host on which ansible-rulebook runs that holds the app's certificate and its RSA private key, in
        PEM or PKCS#12 (PFX), the latter as it is or in base64.
      - If not set, the value of E(AZURE_X509_CERTIFICATE_PATH) or E(AZURE_CLIENT_CERTIFICATE_PATH) is used.
    type: path
  x509_certificate_password:
    description:
      - The password of the private key or of the PFX file.
      - If not set, the value of E(AZURE_X509_CERTIFICATE_PASSWORD) or E(AZURE_CLIENT_CERTIFICATE_PASSWORD) is used -
        for a file that an option names, if it opens it.
    type: str
  thumbprint:
    description:
      - The SHA-1 thumbprint of the certificate in hexadecimal, if the file holds only the key.
      - If not set, the value of E(AZURE_THUMBPRINT) is used - for a file that an option names, if it fits. Without
        any, the SHA-256 of the certificate in the file is used, which Microsoft recommends (with msal before 1.35,
        its SHA-1).
    type: str
  oidc_token:
    description:
      - A token of another identity provider that the app registration trusts (workload identity federation).
      - If not set, the value of E(AZURE_FEDERATED_TOKEN) is used.
    type: str
  oidc_token_file_path:
    description:
      - A file with such a token, on the host on which ansible-rulebook runs. It is read for every sign-in.
      - If not set, the value of E(AZURE_FEDERATED_TOKEN_FILE) is used.
    type: path
  oidc_audience:
    description:
      - Who is to accept the token that the runner of a job of GitHub Actions is asked for. Azure DevOps decides that by
        itself.
      - If not set, it is what Entra ID wants, V(api://AzureADTokenExchange), V(api://AzureADTokenExchangeUSGov) in the
        clouds of the US government, and V(api://AzureADTokenExchangeChina) in AzureChinaCloud.
    type: str
  service_connection_id:
    description:
      - The GUID of the service connection whose token the runner of a job of Azure DevOps is asked for (C(resourceId)
        in the address of its page). It must be an input of some task in the stage that asks.
      - If not set, the value of E(AZURESUBSCRIPTION_SERVICE_CONNECTION_ID) is used, which the task C(AzureCLI@2) sets.
    type: str
  username:
    description:
      - The name of a user, such as V(admin@contoso.example).
      - If not set, the value of E(AZURE_AD_USER) or E(AZURE_USERNAME) is used.
    type: str
    aliases: [ad_user]
  password:
    description:
      - The password of this user.
      - If not set, the value of E(AZURE_PASSWORD) is used, but not with a O(username) that is given as an option,
        unless O(allow_environment_credential) is set. A user's domain may have the password sent to a server of its
        own.
    type: str
  refresh_token:
    description:
      - A refresh token of a user, issued for O(client_id).
      - Entra ID gives a new one at each use, which is not kept; the given one works until it expires, usually for 90
        days.
      - If not set, the value of E(MSGRAPH_REFRESH_TOKEN) is used.
    type: str
  access_token:
    description:
      - A ready bearer token for Graph, without the word Bearer. No sign-in takes place.
      - If not set, the value of E(MSGRAPH_ACCESS_TOKEN) is used.
    type: str
  cloud_environment:
    description:
      - The national cloud that the tenant is in.
      - If not set, the value of E(AZURE_CLOUD_ENVIRONMENT) is used, and without that V(AzureCloud), the public one.
      - If set, a variable that names a host of another cloud does not count.
    type: str
    choices: [AzureCloud, AzureUSGovernment, AzureUSGovernmentDoD, AzureChinaCloud]
  graph_url:
    description:
      - The address of Graph, as V(https://host), if it is not the one of O(cloud_environment). Tokens are asked for
        this host, and sent to no other.
      - If not set, the value of E(MSGRAPH_URL) is used.
    type: str
  authority_url:
    description:
      - The address of Entra ID, as V(https://host), if it is not the one of O(cloud_environment).
      - If not set, the value of E(AZURE_AUTHORITY_HOST) is used.
    type: str
  allow_environment_credential:
    description:
      - Whether a credential that is not itself an option (from an environment variable, a managed identity, the Azure
        CLI, the runner of a job, or a file with a federated token) may be used with a host that O(graph_url) or
        O(authority_url) names and that is none of Microsoft's.
      - With V(false), people who may write options, for instance in an inventory, cannot send a credential that
        others have put into the environment, such as one of AWX, to a host of their choice.
      - Hosts that the environment of the run names are trusted with it, also if an option repeats them. What the
        C(environment) of a task, block or play names is trusted with what it gives itself, as it may come from an
        inventory; a credential from elsewhere needs this option there, too.
    type: bool
    default: false
  ca_path:
    description:
      - A file, or a folder prepared by C(c_rehash), of certificate authorities in PEM to trust, for Graph and for the
        sign-in.
      - If not set, the values of E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE) are used, and without them the
        authorities that the Python library requests brings along together with those of the system's own store.
      - Those are read once per run, this option once per host. For a fleet and a large file, set the variable in the
        environment of C(ansible-playbook) instead.
    type: path
  validate_certs:
    description:
      - Whether to check the certificates of Graph and Entra ID. Whoever stands in between can read and change
        everything, the secret included, if this is V(false).
    type: bool
    default: true
  request_timeout:
    description:
      - How many seconds a connection may take, and again an answer as a whole, the wait for its first byte included.
    type: int
    default: 30
  retry_timeout:
    description:
      - How many seconds all tries may take together, with the waiting times in between; those of signing in, of
        reading and of requesting a synchronisation share this time. Requests are repeated if Graph or Entra ID has no
        time for them (HTTP 429, 503 and 504) or no connection was made, also because a name cannot be resolved. One
        that reads is repeated after HTTP 500, 502 and other trouble of the service as well, and if its answer was
        lost.
      - The pages of a list may take this and O(request_timeout) together.
      - If the service asks to wait longer than that, the task fails at once and says how long.
      - A federated credential that was just made takes some minutes to work everywhere. So a sign-in that Entra ID
        refuses as it knows no credential that fits the token is tried three times, and with more than V(120) here as
        often as there is time for.
      - V(0) never repeats a request.
    type: int
    default: 120
requirements:
  - python >= 3.9
  - msal >= 1.32.0
  - requests >= 2.32.3
notes:
  - The options of the identity and of the connection, and their environment variables, are those of the modules of
    this collection. C(ansible-rulebook) has no way to mask what stands in a rulebook, so give secrets by environment
    variables, by a credential of the EDA controller, or by encrypted variables. No event and no log line of this
    source has one in it.
  - The app needs Graph's permissions C(DeviceManagementServiceConfig.Read.All) and
    C(DeviceManagementConfiguration.Read.All).
  - Proxies are taken from the environment, from E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY); they have to be HTTP
    proxies.
  - Options that cannot be right end the source, before anything is asked for. Whatever happens later does not.
seealso:
  - module: graphops.intune.intune_connectors_and_tokens_info
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
"""

EXAMPLES = r"""
# Two tenants by one app that is registered for many, with the identity from the environment.
- name: Bring up to date what is stale
  hosts: all
  sources:
    - name: intune
      graphops.intune.connectors_and_tokens:
        tenants: [contoso.example, fabrikam.example]
  rules:
    - name: What is stale is synchronised
      condition: event.intune.edge == "stale"
      action:
        run_playbook:
          name: graphops.intune.sync_tenants

# Each tenant by an app of its own; what expires within 60 days is told once a week.
- name: Tell people what expires
  hosts: all
  sources:
    - name: intune
      graphops.intune.connectors_and_tokens:
        tenants:
          - name: Contoso
            tenant: contoso.example
            client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
            secret: "{{ contoso_secret }}"
          - name: Fabrikam
            tenant: fabrikam.example
            client_id: 8b2f1d2d-1e7a-4d9b-8e1b-4a6c2a3d8b21
            x509_certificate_path: /etc/intune/fabrikam.pem
        kinds: [apple_push_certificate, vpp_token, enrollment_program_token]
        max_age:
          vpp_token: 100000
        warn_days: 60
        repeat_after: 604800
  rules:
    - name: What expires is told
      condition: event.intune.edge == "expires_soon"
      action:
        debug:
          msg: "{{ event.intune.message }}"
"""

_ENGINE = "ansible_collections.graphops.intune.plugins.module_utils"
_LOG = logging.getLogger("graphops.intune.connectors_and_tokens")
# What is between ansible-rulebook and this file, of which the engine knows nothing.
FEEDBACK_SPEC: dict[str, t.Any] = {
    "feedback": {"type": "bool", "default": False},
    "feedback_timeout": {"type": "int", "default": 120},
}


def _engine(name: str) -> t.Any:
    """Import a part of the collection that this file belongs to.

    A source is run as a file, without a package. Those of other collections are in the same process, so only the full
    name is certain to be ours.
    """
    above = str(Path(__file__).absolute().parents[7])
    if above not in sys.path:
        sys.path.insert(0, above)
    return importlib.import_module(f"{_ENGINE}.{name}")


class _Feedback:
    """What ansible-rulebook confirms of the events that it was given.

    :param queue: where it says so, event by event; it waits until that is read.
    """

    def __init__(self, queue: t.Any) -> None:
        self._queue = queue
        self._waiting: dict[str, asyncio.Future[None]] = {}

    async def read(self) -> None:
        """Read all that is said, for ever: filters may have made several events of one."""
        while True:
            data = await self._queue.get()
            meta = data.get("meta") if isinstance(data, dict) else None
            waiting = self._waiting.pop(str(meta.get("uuid")), None) if isinstance(meta, dict) else None
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

    async def put(self, queue: t.Any, event: dict[str, t.Any], timeout: float) -> bool:
        """Give an event, and tell whether it was confirmed in so many seconds."""
        name = event["meta"]["uuid"] = str(uuid.uuid4())
        confirmed = self._waiting[name] = asyncio.get_running_loop().create_future()
        try:
            await queue.put(event)
            await asyncio.wait_for(confirmed, timeout)
        except asyncio.TimeoutError:
            return False
        finally:
            self._waiting.pop(name, None)
        return True


class _Source:
    """Looks at tenants and gives events, until it is cancelled.

    :param args: the arguments of the source, as they stand in the rulebook.
    :raises IntuneError: one of them cannot be right. Nobody was asked for anything yet.
    """

    def __init__(self, args: t.Mapping[str, t.Any]) -> None:
        watch, edges, options = (_engine(name) for name in ("_sync.watch", "_sync.edges", "_ground.given_options"))
        given = dict(args)
        queue = given.pop("eda_feedback_queue", None)
        own = options.read_options({name: given.pop(name) for name in FEEDBACK_SPEC if name in given}, FEEDBACK_SPEC)
        _engine("_ground.option_values").at_least(1, own, ("feedback_timeout",))
        if own["feedback"] and queue is None:
            raise _engine("_ground.errors").OptionError(
                "feedback is true, but ansible-rulebook gives none", advice="use ansible-rulebook 1.3.0 or later"
            )
        self._feedback = None if queue is None else _Feedback(queue)
        self._feedback_timeout = own["feedback_timeout"]
        settings = watch.read_settings(given, os.environ)
        self._time = watch.TIME
        self._watcher = watch.Watcher(settings, os.environ, self._time)
        self._edges = edges.Edges(initial=settings.initial, repeat_after=settings.repeat_after)
        self._settings = settings

    async def run(self, queue: t.Any) -> None:
        """Look and give events, for ever."""
        settings, tenants = self._settings, len(self._settings.tenants)
        _LOG.info("looking at %d tenants, every %d seconds", tenants, settings.interval)
        reading = asyncio.ensure_future(self._feedback.read()) if self._feedback else None
        try:
            while True:
                began = self._time.monotonic()
                await self._look(queue)
                took = self._time.monotonic() - began
                if took > settings.interval:
                    _LOG.warning("a look at %d tenants took %d seconds, longer than interval", tenants, took)
                await _pause(max(0.0, settings.interval - took))
        finally:
            self._watcher.cancel()
            if reading:
                reading.cancel()

    async def _look(self, queue: t.Any) -> None:
        """Look at all tenants once, and give the events of each as soon as it was looked at."""
        loop = asyncio.get_running_loop()
        inbox: asyncio.Queue[t.Any] = asyncio.Queue()

        def take(tenant: t.Any, seen: t.Any) -> None:
            # What ends after the loop has nobody to tell.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(inbox.put_nowait, (tenant, seen))

        looking = asyncio.ensure_future(asyncio.to_thread(self._watcher.poll, take))
        looking.add_done_callback(lambda _done: inbox.put_nowait(None))
        try:
            while True:
                arrived = await inbox.get()
                if arrived is None:
                    break
                await self._tell(queue, *arrived)
            looking.result()
        finally:
            if not looking.done():
                self._watcher.cancel()
                await asyncio.wait([looking])

    async def _tell(self, queue: t.Any, tenant: t.Any, seen: t.Any) -> None:
        for edge in self._edges.look(tenant.name, seen, self._time.monotonic()):
            event = {"intune": edge.as_dict(), "meta": {"hosts": tenant.host}}
            if self._feedback is None:
                await queue.put(event)
            elif not await self._feedback.put(queue, event, self._feedback_timeout):
                _LOG.warning("an event was not confirmed in %d seconds, and is told again", self._feedback_timeout)
                continue
            self._edges.confirm(edge, self._time.monotonic())
            # Whoever else has something to do may do so, although the queue had room.
            await asyncio.sleep(0)


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def main(queue: t.Any, args: dict[str, t.Any]) -> None:
    """Give events of connectors and tokens, until it is cancelled.

    :param queue: takes the events.
    :param args: the arguments of the source, as they stand in the rulebook.
    :raises ValueError: an argument cannot be right, or a library is missing; one sentence.
    """
    # All that takes long is for threads: imports, too, and files of the identity.
    errors = await asyncio.to_thread(_engine, "_ground.errors")
    try:
        source = await asyncio.to_thread(_Source, args)
    except errors.IntuneError as error:
        secrecy = _engine("_ground.secrecy")
        raise ValueError(secrecy.masked(error.sentence())) from None
    await source.run(queue)


if __name__ == "__main__":
    # To see events of one's own tenant, whose identity the environment names.
    class _Printer:
        async def put(self, event: dict[str, t.Any]) -> None:
            print(event)

    asyncio.run(main(_Printer(), {"tenants": sys.argv[1:]}))
