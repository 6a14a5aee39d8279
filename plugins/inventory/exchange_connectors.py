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
# The connectors of several tenants, with an app that is registered for many.
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

import hashlib
import json
import os
import re
import typing as t
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import jinja2
from ansible import constants, template
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._ground import clouds, errors, untrusted
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._ground.host_names import safe_name
from ansible_collections.graphops.intune.plugins.module_utils._http import connection
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import InfoCommand
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context, open_graph
from ansible_collections.graphops.intune.plugins.plugin_utils.masking import masked

# From ansible-core 2.19 on, what is not trusted is no template, and is marked in what ansible-inventory prints.
_trusted: t.Callable[[str], str] = getattr(template, "trust_as_template", str.__str__)

GROUP = "exchange_connectors"
_COMMAND = InfoCommand(exchange_connector.KIND)
# What the role calls an option of the module.
PREFIX = "exchange_connector_sync_"

_ENDINGS = ("exchange_connectors.yml", "exchange_connectors.yaml")
_MOST_AT_A_TIME = 16
# No delimiter of a template; and nothing that calls or filters, should somebody evaluate what a template gave again.
_NO_TEMPLATE = re.compile(r"[\w .,:;@/&!?=+-]*")
_SECRETS = {name for name, how in identity.identity_spec().items() if how.get("no_log")}

if t.TYPE_CHECKING:
    Properties = dict[str, t.Any]


class Unreadable(Exception):
    """A tenant that could not be read; the message is a sentence that may be shown."""


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
    method = found[0].identity.method
    if len(found) > 1 and method.source in ("access_token", "msi"):
        raise errors.OptionError(
            f"a sign-in {method.label} reads one tenant, but tenants names {len(found)}",
            advice="sign in as an app that is registered for many tenants",
        )
    return found


def _source(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> Source:
    return Source(params, identity.read_identity(params, environ))


def cache_key(who: identity.Identity) -> str | None:
    """What the connectors that ``who`` reads are cached under; None if nobody can tell whose they are.

    Neither a secret nor a password is part of it: the key is visible, and those may be weak enough to be guessed from a
    hash. Of a token all that can be known is the token itself, which cannot be guessed.
    """
    source = who.method.source
    if not who.tenant and source != "access_token":
        return None
    token = who.values[source] if source in ("access_token", "refresh_token") else ""
    user = who.values["username"].lower() if source == "password" else ""
    known = [source, who.tenant.lower(), who.client_id.lower(), user, token, *who.hosts]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def usable(cached: t.Any) -> list[Properties] | None:
    """The connectors that a cache gave, or None: whoever else writes there may have put anything."""
    if isinstance(cached, list) and all(isinstance(e, dict) and isinstance(e.get("id"), str) for e in cached):
        return cached
    return None


def read(source: Source, secrets: t.Collection[str], warn: t.Callable[[str], t.Any]) -> list[Properties]:
    """Read the connectors of a tenant, as the module does; for threads.

    :param secrets: what must not be shown, whatever the other side sends back.
    :param warn: takes sentences that the user should read.
    :returns: the properties of each connector.
    :raises Unreadable: this failed, for whatever reason.
    """
    tokens: set[str] = set()
    context = _context(lambda text: warn(masked(text, {*secrets, *tokens})), tokens.update)
    result = shell.outcome(_COMMAND, {**dict.fromkeys(_COMMAND.argument_spec()), **source.params}, context)
    if "msg" in result:
        asked_for = f" The request_id is {result['request_id']}." if result.get("request_id") else ""
        raise Unreadable(masked(result["msg"] + asked_for, {*secrets, *tokens}))
    connectors: list[Properties] = masked(result["connectors"], tokens)
    return connectors


def _context(warn: t.Callable[[str], t.Any], hide: t.Callable[[t.Iterable[str]], t.Any]) -> Context:
    return Context(
        check_mode=False, environ=os.environ, clock=Clock(), warn=warn, progress=lambda _text: None, hide=hide
    )


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
    handed_on = (*clouds.CLOUD_VARIABLES, "allow_environment_credential")
    where = {name: source.params[name] for name in handed_on if source.params[name]}
    known = {"connector_id": properties["id"], "tenant": source.tenant, **where}
    return {
        "ansible_connection": unsafe("local"),
        **{f"{PREFIX}{name}": unsafe(value) for name, value in known.items() if value},
        "exchange_connector": unsafe(properties),
    }


def unsafe(value: t.Any) -> t.Any:
    """Have Ansible never take ``value``, or anything in it, for a template.

    Newer ansible-core trusts no value that it is not told to trust, but a cache may have told it so, which wrap_var()
    takes back there. Older ones need the mark. Texts that cannot be a template, nor a part of one, go without it and
    are trusted, because the mark shows in what ansible-inventory prints, and AWX would keep it. Braces do not tell: one
    that begins with ``#jinja2:`` needs none.
    """
    return _each_text(value, wrap_var)


def unmarked(value: t.Any) -> t.Any:
    """The same value, whose texts that cannot be a template go without the mark of :func:`unsafe`; others stay."""
    return _each_text(value, lambda text: text)


def _each_text(value: t.Any, other: t.Callable[[t.Any], t.Any]) -> t.Any:
    if isinstance(value, str):
        return _trusted(str.__str__(value)) if _NO_TEMPLATE.fullmatch(value) else other(value)
    if isinstance(value, dict):
        # Names have no mark in JSON.
        return {
            name if _NO_TEMPLATE.fullmatch(str(name)) else other(name): _each_text(entry, other)
            for name, entry in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_each_text(entry, other) for entry in value]
    return value


def the_connector(variables: t.Mapping[str, t.Any]) -> str:
    """The id, in lower case, of the connector that a host with these variables is; "" if it is none."""
    properties = variables.get("exchange_connector")
    known = properties.get("id") if isinstance(properties, dict) else None
    return str(known or variables.get(f"{PREFIX}connector_id") or "").lower()


def check_expression(option: str, expression: t.Any) -> None:
    """See that an expression is one.

    :raises OptionError: it can have no value, whatever the connectors are.
    """
    if not isinstance(expression, str) or not expression:
        return
    try:
        jinja2.Environment().parse("{{ (" + expression + ") }}")  # noqa: S701 - it is not evaluated
    except jinja2.TemplateSyntaxError as error:
        raise errors.OptionError(
            f"{option} is no Jinja expression: {untrusted.one_line(str(error))}", advice="write it without braces"
        ) from None


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Found by Ansible under this name."""

    NAME = "graphops.intune.exchange_connectors"

    # ansible-core does not say what types these have.
    get_option: t.Any
    _read_config_data: t.Any
    _compose: t.Any
    _set_composite_vars: t.Any
    _add_host_to_composed_groups: t.Any
    _add_host_to_keyed_groups: t.Any
    _sanitize_group_name: t.Any

    def verify_file(self, path: str) -> bool:
        """Tell whether ``path`` is meant for this plugin."""
        readable: bool = super().verify_file(path)  # type: ignore[no-untyped-call]
        return readable and path.endswith(_ENDINGS)

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the hosts that the file at ``path`` describes to the inventory."""
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        try:
            params = self._params(config)
            self._check_expressions()
            wanted = sources(params, os.environ)
            hosts = self._hosts(wanted, self._connectors(wanted, params, path, cache))
            for name, variables in hosts.items():
                self._check_name(inventory, name, variables)
        # "from None" each time: newer ansible-core would repeat the cause, which may hold what was masked.
        except (errors.MissingLibraryError, errors.OptionError) as error:
            raise AnsibleParserError(error.sentence()) from None
        except Unreadable as error:
            raise AnsibleParserError(str(error)) from None
        # Only now, and all or none, so that a failure leaves nothing behind: Ansible goes on with what there is.
        inventory.add_group(GROUP)
        added = [name for name in hosts if inventory.get_host(name) is None]
        try:
            for name, variables in hosts.items():
                self._add(inventory, name, variables)
        except AnsibleError:
            for name in filter(inventory.get_host, added):
                inventory.remove_host(inventory.get_host(name))
            raise

    def _check_expressions(self) -> None:
        check_expression("hostname", self.get_option("hostname"))
        if not self.get_option("strict"):
            # Ansible passes over those that do not do.
            return
        for option in ("compose", "groups"):
            for name, expression in (self.get_option(option) or {}).items():
                check_expression(f"{option}, {name},", expression)
        for entry in self.get_option("keyed_groups") or []:
            check_expression("keyed_groups, key,", entry.get("key") if isinstance(entry, dict) else None)

    def _check_name(self, inventory: t.Any, name: str, variables: t.Mapping[str, t.Any]) -> None:
        """See that a connector takes over nobody else's name."""
        connector_id = the_connector(variables)
        if name in constants.LOCALHOST or name in inventory.groups or name == GROUP:
            why = "Ansible has for the local host, or for a group"
        elif name in inventory.hosts and the_connector(inventory.hosts[name].vars) != connector_id:
            why = "another source of the inventory, or another connector, has already"
        else:
            return
        raise errors.OptionError(
            f"the connector {untrusted.one_line(connector_id)} would be the host {name}, a name that {why}",
            advice="set hostname to something that only a connector is called, for instance with the id",
        )

    def _params(self, config: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """The options that the engine gets, checked as a module's are.

        They are taken from the file again, because Ansible has made absolute paths and split lists of templates.
        """
        own = spec()
        known = {
            name for option, facts in self.option_definitions.items() for name in (option, *facts.get("aliases", ()))
        }
        for name in config:
            if name not in known:
                raise errors.OptionError(f"{name} is no option", advice="see ansible-doc for those that there are")
        names = {name for option, facts in own.items() for name in (option, *facts.get("aliases", ()))}
        self.templar.available_variables = self._vars or {}
        given = {name: self._plain(name, value) for name, value in config.items() if name in names}
        # A template without a result, as an empty variable of AWX.
        if given.get("tenants") == "":
            given["tenants"] = None
        checked = ArgumentSpecValidator(own).validate(given)
        if checked.error_messages:
            raise errors.OptionError("; ".join(checked.error_messages))
        return dict(checked.validated_parameters)

    def _plain(self, name: str, value: t.Any) -> t.Any:
        """Evaluate a template, or decrypt a value."""
        try:
            if isinstance(value, str):
                value = self.templar.template(value)
            if isinstance(value, list):
                return [self._plain(name, entry) for entry in value]
            if value is None or isinstance(value, (bool, int, float)):
                return value
            # Text without the marks that Ansible puts on it, which would travel along into everything made of it.
            return str.__str__(str(value))
        except AnsibleError as error:
            if name in _SECRETS:
                # What Ansible says of it repeats it.
                raise errors.OptionError(
                    f"{name} cannot be evaluated",
                    advice="give it by a lookup, or put it between {% raw %} and {% endraw %}",
                ) from None
            raise errors.OptionError(f"{name} cannot be evaluated: {untrusted.one_line(str(error))}") from None

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
            context = _context(self.display.warning, secrets.update)
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

    def _add(self, inventory: t.Any, name: str, variables: dict[str, t.Any]) -> None:
        inventory.add_host(name, group=GROUP)
        for variable, value in variables.items():
            inventory.set_variable(name, variable, value)
        strict = self.get_option("strict")
        host = inventory.get_host(name)
        self._set_composite_vars(self.get_option("compose"), host.get_vars(), name, strict=strict)
        for variable in self.get_option("compose") or {}:
            if variable in host.vars:
                inventory.set_variable(name, variable, unmarked(host.vars[variable]))
        # These fetch the variables themselves, composed ones included.
        self._add_host_to_composed_groups(self.get_option("groups"), {}, name, strict=strict)
        for entry in self.get_option("keyed_groups") or []:
            before = {group.name for group in host.get_groups()}
            self._add_host_to_keyed_groups([entry], {}, name, strict=strict)
            for group in host.get_groups():
                if group.name not in before and not self._is_named_by(entry, group.name):
                    self._check_group(inventory, group, name)

    def _is_named_by(self, entry: t.Mapping[str, t.Any], group: str) -> bool:
        """Tell whether an entry of keyed_groups itself, and not what Graph sent, says which group this is."""
        prefix, separator = str(entry.get("prefix") or ""), str(entry.get("separator", "_"))
        if prefix and group.startswith(self._sanitize_group_name(prefix)):
            return True
        default = entry.get("default_value")
        names = [str(entry.get("parent_group") or "")]
        names += [str(default), f"{separator}{default}"] if default else []
        return group in [self._sanitize_group_name(name) for name in names if name]

    def _check_group(self, inventory: t.Any, group: t.Any, name: str) -> None:
        """See that what Graph sent did not make a host one of somebody else's, or a group of the name of a host."""
        if group.name in inventory.hosts or not all(the_connector(host.vars) for host in group.get_hosts()):
            raise AnsibleParserError(
                f"keyed_groups would put the host {name} into the group {group.name}, but that is the name of a host,"
                " or a group with hosts of another source; give the entry of keyed_groups a prefix."
            )
