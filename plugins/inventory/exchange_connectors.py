# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: E402

"""The Exchange connectors of one or many tenants as hosts."""

from __future__ import annotations

# The environment variables of the identity stand in the options' texts and not under "env:". Ansible would merge those
# into the options, and the engine could no longer tell an option from a variable: an option's secret would not win over
# a variable's access token, and an empty variable, as AWX injects it, would hide the one that follows.
DOCUMENTATION = r"""
name: exchange_connectors
short_description: The Exchange connectors of Microsoft Intune as hosts
version_added: 1.0.0
description:
  - Reads the Exchange connectors of one tenant, or of many, through Microsoft Graph, and makes each of them a host in
    the group C(exchange_connectors).
  - Needs a YAML file whose name ends with V(exchange_connectors.yml) or V(exchange_connectors.yaml). It may be
    encrypted with Ansible Vault, as a whole or in single values.
  - The options of the identity and of the connection, and their environment variables, are those of the modules of this
    collection, so that an inventory source of AWX needs a credential and nothing else. Their texts are those of the
    modules - for the host on which the module runs, read the one on which Ansible reads the inventory, and for a task
    that fails, a tenant that cannot be read.
  - Each of them, and O(tenants), may be a Jinja template, which sees extra variables and can use lookups.
  - Each host has the variable C(exchange_connector) with all properties that Graph gives, as
    M(graphops.intune.intune_exchange_connector_info) returns them.
  - It has what the role C(graphops.intune.exchange_connector_sync) wants to know of it -
    C(exchange_connector_sync_connector_id), and C(exchange_connector_sync_tenant) with the tenant as it is named in the
    options or the environment, if it is. O(cloud_environment), O(graph_url), O(authority_url) and
    O(allow_environment_credential) are handed on in the same way if they are given as options. The identity is not,
    and no secret becomes a variable.
  - It has C(ansible_connection=local), because Graph is asked from the controller and nothing runs at the connector
    itself. O(compose) can replace this and every other variable.
author:
  - graphops.intune contributors (@graphops)
extends_documentation_fragment:
  - graphops.intune.identity
  - graphops.intune.connection
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description:
      - Says that the file is meant for this plugin.
    type: str
    required: true
    choices: [graphops.intune.exchange_connectors]
  tenants:
    description:
      - Read these tenants, each by its GUID or one of its domains, with the one identity, which needs an app that is
        registered for many tenants and consented to in each of them. Sixteen are read at a time.
      - Without it, O(tenant) is read. Of the two options, one can be given; O(tenants) wins over E(AZURE_TENANT) and
        E(AZURE_TENANT_ID).
      - A ready access token and a managed identity belong to one tenant and cannot read several.
    type: list
    elements: str
  on_unreadable_tenant:
    description:
      - What to do if one of the tenants cannot be read.
      - V(fail) gives no inventory.
      - V(warn) warns and leaves out the hosts of that tenant. If none of the tenants can be read, there is still no
        inventory, because tools that take it over would delete all their hosts.
      - Options that cannot be right always fail, before anything is asked for. So do expressions that are none, in
        O(hostname), and with O(strict=true) in O(compose), O(groups) and O(keyed_groups). Whether an expression has a
        value shows when the connectors are known.
      - A tenant that has no Exchange connector can be read. It has no hosts, and if it never had one, a warning tells.
    type: str
    default: fail
    choices: [fail, warn]
  status:
    description:
      - Take only connectors whose status is one of these.
    type: list
    elements: str
    choices: [none, connectionPending, connected, disconnected, unknownFutureValue]
  exchange_connector_type:
    description:
      - Take only connectors whose type is one of these.
    type: list
    elements: str
    choices: [onPremises, hosted, serviceToService, dedicated, unknownFutureValue]
  hostname:
    description:
      - A Jinja expression, without braces, that gives the name of a host from its variables, such as
        V(exchange_connector.id).
      - If not set, the name is that of the Exchange server, a dash, and the first eight digits of the connector's id,
        such as V(EXCHANGE01-e11c1de8). It says at a glance which server it is, C(--limit 'EXCHANGE01-*') finds it, and
        it stays the same when other connectors come and go.
      - Whatever a host pattern would not take literally, and what cannot be seen, becomes an underscore. Letters and
        digits that only look different, such as full-width ones, become the usual ones.
      - If two connectors would have the same name, there is no inventory. The same is true if a connector would have
        the name of a group, of the local host, or of a host that another source of the inventory has, because what is
        meant for that host would then run on the controller. A host with the same id in
        C(exchange_connector_sync_connector_id) is the same connector, and may have it.
    type: str
notes:
  - Ansible itself goes on with a warning if an inventory source gives no inventory. Set
    E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) to V(true) to have it stop.
  - With O(cache), what Graph gave is kept for each tenant and identity, without any token or secret. Ansible's default
    O(cache_plugin) keeps it for the run only; name another one, as in the examples, to save requests of later runs. It
    is not kept if
    neither O(tenant) nor O(tenants) nor the environment names the tenant and a managed identity or the Azure CLI
    decides, because nobody could tell whose connectors those are.
  - Values from Graph are never taken for templates. Those that could be one are marked in what
    C(ansible-inventory --list) prints, the others are plain text.
  - Ansible merges hosts of the same name from all its sources. This plugin refuses names that are taken, but can only
    see those of the sources before it, so name it last.
  - The values of O(keyed_groups) come from Graph. Give each a C(prefix); without one, they may not put a connector
    into a group with hosts of another source.
  - The app or user needs Graph's permission C(DeviceManagementServiceConfig.Read.All).
seealso:
  - module: graphops.intune.intune_exchange_connector_info
  - module: graphops.intune.intune_exchange_connector_sync
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
"""

EXAMPLES = r"""
# All connectors of the tenant that the environment names, with the identity from there, as AWX's Azure credential gives
# it. The name of the file is, for instance, all.exchange_connectors.yml.
plugin: graphops.intune.exchange_connectors

---
# The connectors of several tenants, with an app that is registered for many. This identity reads the inventory, and is
# not handed on to hosts - the role takes its own, from the environment or from variables.
plugin: graphops.intune.exchange_connectors
tenants:
  - contoso.example
  - fabrikam.example
client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
secret: "{{ lookup('ansible.builtin.env', 'INTUNE_SECRET') }}"
on_unreadable_tenant: warn

---
# Connected on-premises connectors only, in groups by tenant, organization and need.
plugin: graphops.intune.exchange_connectors
tenants: [contoso.example, fabrikam.example]
status: [connected]
exchange_connector_type: [onPremises]
keyed_groups:
  - key: exchange_connector_sync_tenant
    prefix: tenant
  - key: exchange_connector.exchange_organization
    prefix: organization
groups:
  never_synchronised: exchange_connector.last_sync_date_time is none
compose:
  exchange_connector_sync_max_age: "86400 if exchange_connector.exchange_organization == 'Contoso' else 7200"

---
# The names of the hosts are the ids of the connectors, and an hour's cache saves requests.
plugin: graphops.intune.exchange_connectors
hostname: exchange_connector.id
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/exchange_connectors
cache_timeout: 3600
"""

import os
import typing as t
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from ansible.errors import AnsibleError
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors, untrusted
from ansible_collections.graphops.intune.plugins.module_utils._ground.host_names import safe_name
from ansible_collections.graphops.intune.plugins.module_utils._http import connection
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import InfoCommand
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import open_graph
from ansible_collections.graphops.intune.plugins.plugin_utils.inventory_source import (
    InventorySource,
    Unreadable,
    cache_key,
    context_of,
    handed_on,
    outcome,
)
from ansible_collections.graphops.intune.plugins.plugin_utils.inventory_values import unsafe

_COMMAND = InfoCommand(exchange_connector.KIND)
# What the role calls an option of the module.
PREFIX = "exchange_connector_sync_"

_MOST_AT_A_TIME = 16

if t.TYPE_CHECKING:
    Properties = dict[str, t.Any]


class Source(t.NamedTuple):
    """A tenant to read.

    :param params: the options of identity and connection for it.
    :param identity: who reads it.
    """

    params: t.Mapping[str, t.Any]
    identity: identity.Identity

    @property
    def tenant(self) -> str:
        """The tenant as the user named it; "" if a token or the host decides."""
        return self.identity.values["tenant"]

    @property
    def key(self) -> str | None:
        """What its connectors may be cached under; None if they may not."""
        return cache_key(self.identity)


def spec() -> dict[str, t.Any]:
    """The argument spec of the options that the engine gets."""
    return {
        **identity.identity_spec(),
        **connection.connection_spec(),
        "tenants": {"type": "list", "elements": "str"},
    }


def sources(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> list[Source]:
    """The tenants to read, in the order in which they are named and each once.

    :param params: all options of :func:`spec`.
    :raises OptionError: an option cannot be right, or no identity is complete.
    """
    if params["tenants"] is None:
        return [_source(params, environ)]
    if params["tenant"]:
        raise errors.OptionError("both tenant and tenants are given", advice="give one of them")
    tenants: dict[str, str] = {}
    for tenant in params["tenants"]:
        if tenant:
            tenants.setdefault(tenant.lower(), tenant)
    if not tenants:
        raise errors.OptionError("tenants is empty", advice="name the tenants, or leave it out")
    found = [_source({**params, "tenant": tenant}, environ) for tenant in tenants.values()]
    who = found[0].identity
    if len(found) > 1 and who.only_tenant is not None:
        raise who.reads_one_tenant(f"tenants names {len(found)}")
    return found


def _source(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> Source:
    return Source(params, identity.read_identity(params, environ))


def usable(cached: t.Any) -> list[Properties] | None:
    """The connectors that a cache gave, or None: whoever else writes there may have put anything."""
    if isinstance(cached, list) and all(isinstance(e, dict) and isinstance(e.get("id"), str) for e in cached):
        return cached
    return None


def read(source: Source, secrets: t.Collection[str], warn: t.Callable[[str], t.Any]) -> list[Properties]:
    """Read the connectors of a tenant; for threads. Parameters and errors are those of :func:`outcome`.

    :returns: the properties of each connector.
    """
    connectors: list[Properties] = outcome(_COMMAND, source.params, secrets, warn)["connectors"]
    return connectors


def read_all(
    sources_: t.Sequence[Source], read_one: t.Callable[[Source], list[Properties]], *, all_needed: bool
) -> list[list[Properties] | Unreadable]:
    """Read tenants, several at a time; in the place of one that cannot be read stands the reason.

    :raises Unreadable: one cannot be read and ``all_needed`` is set; those that were not begun are then not asked for.
    """
    with ThreadPoolExecutor(max_workers=min(_MOST_AT_A_TIME, len(sources_))) as pool:
        futures = [pool.submit(read_one, source) for source in sources_]
        if all_needed:
            wait(futures, return_when=FIRST_EXCEPTION)
            for future in futures:
                future.cancel()
    found: list[list[Properties] | Unreadable] = []
    for failure, future in ((future.exception(), future) for future in futures if not future.cancelled()):
        if failure is not None and (all_needed or not isinstance(failure, Unreadable)):
            raise failure
        found.append(failure or future.result())
    return found


def matches(properties: Properties, wanted: t.Mapping[str, list[str] | None]) -> bool:
    """Tell whether a connector passes the filters, which are lists of texts of which one must fit."""
    return all(
        str(properties.get(name)).lower() in [text.lower() for text in texts] for name, texts in wanted.items() if texts
    )


def default_name(properties: Properties) -> str:
    """The name of a connector's host: it depends on that connector alone, so that no other can change it."""
    return f"{properties.get('server_name') or 'connector'}-{properties['id'][:8]}"


def host_variables(properties: Properties, source: Source) -> dict[str, t.Any]:
    """The variables of a connector's host; where to ask for it is handed on, who asks is not."""
    return {
        "ansible_connection": unsafe("local"),
        **handed_on(source.params, PREFIX, connector_id=properties["id"], tenant=source.tenant),
        "exchange_connector": unsafe(properties),
    }


def the_connector(variables: t.Mapping[str, t.Any]) -> str:
    """The id, in lower case, of the connector that a host with these variables is; "" if it is none."""
    properties = variables.get("exchange_connector")
    known = properties.get("id") if isinstance(properties, dict) else None
    return str(known or variables.get(f"{PREFIX}connector_id") or "").lower()


class InventoryModule(InventorySource):
    """Found by Ansible under this name."""

    NAME = "graphops.intune.exchange_connectors"
    endings = ("exchange_connectors.yml", "exchange_connectors.yaml")
    group = "exchange_connectors"
    thing = "connector"
    rename = "set hostname to something that only a connector is called, for instance with the id"

    def spec(self) -> dict[str, t.Any]:
        """See :func:`spec`."""
        return spec()

    def identify(self, variables: t.Mapping[str, t.Any]) -> str:
        """See :func:`the_connector`."""
        return the_connector(variables)

    def expressions(self) -> t.Iterable[tuple[str, t.Any]]:
        """The one that names hosts."""
        return (("hostname", self.get_option("hostname")),)

    def find_hosts(self, params: t.Mapping[str, t.Any], path: str, cache: bool) -> dict[str, dict[str, t.Any]]:
        """The connectors of all tenants."""
        wanted = sources(params, os.environ)
        return self._hosts(wanted, self._connectors(wanted, params, path, cache))

    def _connectors(
        self, wanted: list[Source], params: t.Mapping[str, t.Any], path: str, cache: bool
    ) -> list[list[Properties]]:
        """The connectors of every tenant, from the cache or from Graph; none for a tenant that is left out.

        :raises Unreadable: this tenant must not be left out, or none can be read.
        """
        keep = self.get_option("cache")
        keys = [f"{self.get_cache_key(path)}_{source.key}" if keep and source.key else None for source in wanted]
        found = [usable(self._cache.get(key)) if cache and key else None for key in keys]
        missing = [number for number, connectors in enumerate(found) if connectors is None]
        if missing:
            all_needed = self.get_option("on_unreadable_tenant") == "fail"
            to_read = [wanted[number] for number in missing]
            # The authorities are read here, once, and not by every thread; what is wrong with the options ends it here.
            settings, secrets = connection.read_connection(params), identity.secrets(params, os.environ)
            context = context_of(self.display.warning, secrets.update)
            open_graph(to_read[0].identity, settings, context, permission=exchange_connector.KIND.permission)
            with shell.quiet_libraries():
                got = read_all(
                    to_read, lambda source: read(source, secrets, self.display.warning), all_needed=all_needed
                )
            failures = [entry for entry in got if isinstance(entry, Unreadable)]
            if len(failures) == len(wanted):
                raise failures[0]
            for failure in failures:
                self.display.warning(f"{failure} Its hosts are left out.")
            for number, entry in zip(missing, got):
                if not isinstance(entry, Unreadable):
                    found[number] = entry
                    if keys[number]:
                        self._cache[keys[number]] = entry
        return [connectors or [] for connectors in found]

    def _hosts(self, wanted: list[Source], found: list[list[Properties]]) -> dict[str, dict[str, t.Any]]:
        """The hosts by name, sorted within each tenant, with the variables that do not depend on other hosts."""
        filters = {name: self.get_option(name) for name in ("status", "exchange_connector_type")}
        hosts: dict[str, dict[str, t.Any]] = {}
        for source, connectors in zip(wanted, found):
            of_tenant: dict[str, dict[str, t.Any]] = {}
            for properties in connectors:
                if not matches(properties, filters):
                    continue
                variables = host_variables(properties, source)
                name = self._name(properties, variables)
                if name in hosts or name in of_tenant:
                    raise errors.OptionError(
                        f"the connectors {untrusted.one_line(properties['id'])} and"
                        f" {untrusted.one_line({**hosts, **of_tenant}[name]['exchange_connector']['id'])} would both be"
                        f" the host {name}",
                        advice="make hostname unique, for instance with the id, and name each tenant once",
                    )
                of_tenant[name] = variables
            hosts.update(sorted(of_tenant.items()))
        return hosts

    def _name(self, properties: Properties, variables: dict[str, t.Any]) -> str:
        expression = self.get_option("hostname")
        if not expression:
            return safe_name(default_name(properties))
        try:
            result = self._compose(expression, variables)
        except AnsibleError as error:
            why = untrusted.one_line(str(error))
        else:
            if result not in (None, ""):
                return safe_name(str.__str__(str(result)))
            why = "it gives nothing"
        raise errors.OptionError(
            f"hostname cannot be used for the connector {untrusted.one_line(properties['id'])}: {why}",
            advice="give an expression that has a value for every connector",
        )
