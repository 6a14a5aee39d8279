# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: E402

"""Tenants as hosts: those of a list, of a file, or the customers of a Microsoft partner."""

from __future__ import annotations

# As to environment variables, see exchange_connectors.
DOCUMENTATION = r"""
name: tenants
short_description: Tenants of Microsoft Intune as hosts
version_added: 1.1.0
description:
  - Makes each tenant a host in the group C(tenants), for the role C(graphops.intune.tenant_sync). The tenants come from
    a list, from a file, or from Microsoft's Partner Center.
  - Needs a YAML file whose name ends with V(tenants.yml) or V(tenants.yaml), such as V(all.tenants.yml). An inventory
    source of AWX names this file of the project as it is. It may be encrypted with Ansible Vault, as a whole or in
    single values.
  - Exactly one of O(tenants), O(tenants_file) and O(partner_center) says where the tenants come from. Only
    O(partner_center) asks Graph, and needs an identity. Its options and environment variables, and those of the
    connection, are those of the modules of this collection, so that an inventory source of AWX needs a credential and
    nothing else. Their texts are those of the modules - for the host on which the module runs, read the one on which
    Ansible reads the inventory, and for a task that fails, Partner Center that cannot be read.
  - Each of them, and the options that name tenants, may be a Jinja template, which sees extra variables and can use
    lookups.
  - The name of a host is that of the tenant. Whatever a host pattern would not take literally, and what cannot be seen,
    becomes an underscore, and letters and digits that only look different, such as full-width ones, become the usual
    ones, so that C(--limit Two_Words) is the tenant V(Two Words) and no other. If names would become the same in this
    way, or the name is one that Ansible has itself, eight digits follow that depend on the whole name. Tenants that are
    called exactly the same have the tenant in their names. The event source of this collection names hosts in the
    same way.
  - Each host has the variable C(intune_tenant), a dictionary with C(id), the tenant as it is named (its GUID with
    O(partner_center)), and C(name). With O(partner_center) it also has C(display_name), the name in Partner Center.
  - It has what the role wants to know of it - C(tenant_sync_tenant), and in the same way O(cloud_environment),
    O(graph_url), O(authority_url) and O(allow_environment_credential) if they are given as options. The identity is not
    handed on, and no secret becomes a variable. The role gets it from the environment, as from a credential of AWX, or
    from variables of its own.
  - It has C(ansible_connection=local), because Graph is asked from the controller. O(compose) can replace this and
    every other variable.
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
    choices: [graphops.intune.tenants]
  tenants:
    description:
      - The tenants, each by its GUID or one of its domains, or by a dictionary with C(tenant) and, if wanted, C(name)
        and C(vars).
      - C(name) is what the tenant is called. Without it, this is the GUID or domain itself.
      - C(vars) is a dictionary of variables of the host. They may not be encrypted, as C(ansible-inventory) shows them,
        nor be a secret of the role. Such variables belong into C(host_vars) or C(group_vars) beside the file.
      - A tenant that is named twice, upper and lower case being the same, is one host if both entries say the same, and
        an error if they do not. Of a GUID and a domain nobody can tell here that they are the same tenant.
    type: list
    elements: raw
  tenants_file:
    description:
      - A file with the tenants. A relative path begins at the folder of the inventory file.
      - If its name ends with V(.yml), V(.yaml) or V(.json), it is a list as O(tenants) is one, which is taken as it
        stands, without templates. In every other file, each line is the GUID or a domain of a tenant. Lines that are
        empty or begin with V(#) are left out.
      - It may be encrypted with Ansible Vault, as a whole.
      - Do not put it into a folder that is given to Ansible as an inventory, because Ansible would read it as a source
        of its own.
    type: path
  partner_center:
    description:
      - Whether to read the tenants from Partner Center. They are the customers with whom the partner has an active
        relationship for delegated administration (GDAP).
      - O(tenant) is the partner's own tenant. The app, or the user, needs Graph's permission
        C(DelegatedAdminRelationship.Read.All) there.
      - That a customer is listed does not say that its tenant can be read. Microsoft's documentation does not say
        whether an app gets a token for a customer's tenant without the consent of an administrator there, and nobody
        tried it here. If a consent is missing, Entra ID refuses the sign-in (AADSTS65001 or AADSTS700016), and the role
        tells it of that tenant alone. It is not asked here, as that would need a sign-in for each tenant.
    type: bool
    default: false
  names:
    description:
      - With O(partner_center), what to call tenants that have no good name there, or one that is taken, by the GUID of
        the tenant.
    type: dict
  include:
    description:
      - Take only tenants of which one of these is the name, the host, or the GUID or domain, upper and lower case being
        the same. V(*) and V(?) stand for any characters, as in V(*.contoso.example), and V([ab]) for one of these.
      - One that fits no tenant is told by a warning. If no tenant is left, there is no inventory, because tools that
        take it over would delete all their hosts.
    type: list
    elements: str
  exclude:
    description:
      - Leave these tenants out, also if O(include) takes them. They are written as in O(include).
    type: list
    elements: str
  on_unreadable:
    description:
      - What to do if Partner Center cannot be read to the end of its list. A part of it is never taken for the whole,
        because tools that take the inventory over would delete the other hosts, with their history. A list without any
        customer, or with one that is none, counts as one that cannot be read.
      - V(fail) gives no inventory.
      - V(warn) warns, and keeps the tenants that O(cache) knows, however old that is. If it knows none, there
        is no inventory.
      - Options that cannot be right always fail, before anything is asked for. So do expressions that are none, with
        O(strict=true) in O(compose), O(groups) and O(keyed_groups).
    type: str
    default: fail
    choices: [fail, warn]
notes:
  - There is no inventory if a tenant would have the name of a group, or of a host that another source of the inventory
    has, because what is meant for that host would then run on the controller. A host with the same
    C(tenant_sync_tenant) is the same tenant, and may have it.
  - Ansible itself goes on with a warning if an inventory source gives no inventory. Set
    E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) to V(true) to have it stop.
  - With O(cache), what Partner Center gave is kept for the identity, without any token or secret. Ansible's default
    O(cache_plugin) keeps it for the run only; name another one, as in the examples. It is kept beyond O(cache_timeout)
    for O(on_unreadable=warn), and asked for anew then. It is not kept if neither O(tenant) nor the environment names
    the tenant and a managed identity or the Azure CLI decides, because nobody could tell whose customers those are.
  - Values from Partner Center, and those of O(tenants) and O(tenants_file), are never taken for templates as variables.
    Those that could be one are marked in what C(ansible-inventory --list) prints, the others are plain text.
  - Ansible merges hosts of the same name from all its sources. This plugin refuses names that are taken, but can only
    see those of the sources before it, so name it last.
  - Names in Partner Center are chosen by the customers. If they are values of O(keyed_groups), give each entry a
    C(prefix); without one, they may not put a tenant into a group with hosts of another source.
seealso:
  - plugin: graphops.intune.exchange_connectors
    plugin_type: inventory
  - module: graphops.intune.intune_connectors_and_tokens_info
  - name: List delegatedAdminCustomers
    description: Microsoft's reference of what O(partner_center) asks.
    link: https://learn.microsoft.com/graph/api/tenantrelationship-list-delegatedadmincustomers
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
"""

EXAMPLES = r"""
# A list of tenants. The name of the file is, for instance, all.tenants.yml.
plugin: graphops.intune.tenants
tenants:
  - contoso.example
  - fabrikam.example

---
# Tenants with names and variables of their own, in groups by region. Nothing is older than a day where it is gold.
plugin: graphops.intune.tenants
tenants:
  - tenant: contoso.example
    name: Contoso
    vars:
      region: emea
      tenant_sync_max_age: 86400
  - tenant: 4fdbff88-9d6b-42e0-9713-45c922ba8001
    name: Fabrikam Inc.
    vars:
      region: us
keyed_groups:
  - key: region
    prefix: region

---
# The tenants in a file beside this one, a domain on each line, without those of two customers.
plugin: graphops.intune.tenants
tenants_file: tenants.txt
exclude:
  - "*.northwind.example"
  - adatum.example

---
# A partner's customers, with the identity of the environment. If Partner Center cannot be read, those go on that were
# read before. Two of them get better names.
plugin: graphops.intune.tenants
partner_center: true
on_unreadable: warn
names:
  4fdbff88-9d6b-42e0-9713-45c922ba8001: Fabrikam
  11111111-9d6b-42e0-9713-45c922ba8001: Contoso EU
groups:
  pilot: intune_tenant.name in ['Fabrikam', 'Contoso EU']
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/intune_tenants
cache_timeout: 3600
"""

import fnmatch
import os
import typing as t
from datetime import datetime, timedelta
from pathlib import Path

import yaml
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import get_cache_plugin
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._ground import (
    clouds,
    errors,
    option_values,
    tenant_ids,
    timestamps,
    untrusted,
)
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._ground.host_names import tenant_host_names
from ansible_collections.graphops.intune.plugins.module_utils._http import connection
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.module_utils._sync.customers import PERMISSION, CustomersCommand
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

# What the role calls an option of the module.
PREFIX = "tenant_sync_"
VARIABLE = "intune_tenant"
_WAYS = ("tenants", "tenants_file", "partner_center")
_KEYS = ("tenant", "name", "vars")
_SECRETS = frozenset(f"{PREFIX}{name}" for name, how in identity.identity_spec().items() if how.get("no_log"))
# Where to ask is handed on with a list, too.
_NOT_HANDED_ON = [
    name
    for name in identity.identity_spec()
    if name not in (*clouds.CLOUD_VARIABLES, "allow_environment_credential", "auth_source")
]


class Entry(t.NamedTuple):
    """A tenant.

    :param tenant: its GUID or one of its domains.
    :param name: what it is called; "" for as the tenant.
    :param variables: those of its host.
    :param display_name: the name in Partner Center; None if it was not asked.
    """

    tenant: str
    name: str = ""
    variables: t.Mapping[str, t.Any] = {}
    display_name: str | None = None

    @property
    def title(self) -> str:
        """What the tenant is called."""
        return self.name or self.tenant


class Kept(t.NamedTuple):
    """What the cache keeps of Partner Center.

    :param read: when it was read.
    """

    read: datetime
    customers: list[dict[str, str]]


def spec() -> dict[str, t.Any]:
    """The argument spec of the options that are read here and not by Ansible."""
    return {
        **identity.identity_spec(),
        **connection.connection_spec(),
        "tenants": {"type": "list", "elements": "raw"},
        "tenants_file": {"type": "path"},
        "partner_center": {"type": "bool", "default": False},
        "names": {"type": "dict"},
        "include": {"type": "list", "elements": "str"},
        "exclude": {"type": "list", "elements": "str"},
    }


def way(params: t.Mapping[str, t.Any]) -> str:
    """Where the tenants come from: the name of the one option that says so.

    :param params: all options of :func:`spec`.
    :raises OptionError: not exactly one is given, or options go with it that mean nothing there.
    """
    given = [name for name in _WAYS if params[name] not in (None, "", False)]
    if len(given) != 1:
        what = f"{' and '.join(given)} are given" if given else "nothing says where the tenants come from"
        raise errors.OptionError(what, advice=f"give one of {', '.join(_WAYS)}")
    if given[0] != "partner_center":
        unused = [name for name in (*_NOT_HANDED_ON, "names") if params[name]]
        if unused:
            raise errors.OptionError(
                f"{unused[0]} is given, but with {given[0]} nobody is asked",
                advice="give the tenants their names there"
                if unused[0] == "names"
                else "give the identity to the role, by the environment or by its variables",
            )
    return given[0]


def entry(option: str, given: t.Any) -> Entry:
    """Read what names a tenant: a text, or a dictionary.

    :param option: what it stands in, for the sentence.
    :raises OptionError: it names none.
    """
    found = given if isinstance(given, dict) else {"tenant": given}
    # Not the whole of it, in which somebody may have put a secret.
    about = untrusted.one_line(str(found.get("tenant") or found.get("name") or "an entry"))
    for key in found:
        if key not in _KEYS:
            raise errors.OptionError(
                f"in {option}, {about} has {untrusted.one_line(str(key))}",
                advice="give it tenant, name and vars, and the identity to the role"
                if str(key) in identity.identity_spec()
                else "give it tenant, name and vars, and nothing else",
            )
    tenant, name, variables = found.get("tenant"), found.get("name"), found.get("vars") or {}
    if not isinstance(tenant, str) or not tenant_ids.is_tenant(tenant):
        raise errors.OptionError(
            f"in {option}, {about} names no tenant", advice="give the tenant's GUID or one of its domains"
        )
    if isinstance(name, (dict, list)):
        raise errors.OptionError(f"in {option}, the name of {about} is no text", advice="write it as one")
    if not isinstance(variables, dict):
        raise errors.OptionError(f"in {option}, vars of {about} is no dictionary", advice="write it as one")
    for variable in variables:
        _check_variable(option, about, variable)
    return Entry(tenant, "" if name is None else str(name), variables)


def _check_variable(option: str, about: str, variable: t.Any) -> None:
    if not isinstance(variable, str) or not variable.isidentifier():
        what, advice = "is no name of a variable", "begin it with a letter, and go on with letters, digits and _"
    elif variable in (f"{PREFIX}tenant", VARIABLE):
        what, advice = "is set by the inventory itself", "leave it out"
    elif variable in _SECRETS:
        what, advice = "is a secret, which the inventory would show", "put it into host_vars or a credential"
    else:
        return
    raise errors.OptionError(f"in {option}, {untrusted.one_line(str(variable))} of {about} {what}", advice=advice)


def entries(option: str, given: t.Sequence[t.Any]) -> list[Entry]:
    """Read the tenants that are named, in their order, each once.

    :raises OptionError: there are none, one is none, or one is named twice and not in the same way.
    """
    found: dict[str, Entry] = {}
    for one in (entry(option, each) for each in given if each not in (None, "")):
        other = found.setdefault(one.tenant.lower(), one)
        if other[1:] != one[1:]:
            raise errors.OptionError(
                f"in {option}, the tenant {one.tenant} is named twice, as {untrusted.one_line(other.title)} and as"
                f" {untrusted.one_line(one.title)}, or with other variables",
                advice="name it once",
            )
    if not found:
        raise errors.OptionError(f"{option} is empty", advice="name the tenants")
    return list(found.values())


def read_file(path: str, name: str) -> list[t.Any]:
    """Read a file of tenants: a list in YAML or JSON, or lines.

    :param path: where it is, decrypted.
    :param name: what the user calls it; its ending decides.
    :raises OptionError: it cannot be read, or is no list.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        if name.lower().endswith(".json"):
            found = untrusted.json_of(text)
        elif name.lower().endswith((".yml", ".yaml")):
            found = yaml.safe_load(text)
        else:
            lines = (line.strip() for line in text.splitlines())
            found = [line for line in lines if line and not line.startswith("#")]
    except OSError as error:
        why = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        why = "it is not in UTF-8"
    except yaml.YAMLError as error:
        # Where, and not what stands there.
        mark = getattr(error, "problem_mark", None)
        why = "it is no YAML" + (f" (line {mark.line + 1})" if mark else "")
    except ValueError:
        why = "it is no JSON"
    else:
        if found is None or isinstance(found, list):
            return found or []
        why = "it is no list"
    raise errors.OptionError(
        f"tenants_file {name} cannot be used: {why}",
        advice="give a list in YAML or JSON, or a file with a tenant on each line",
    )


def chosen(
    found: t.Sequence[Entry], hosts: t.Mapping[str, str], params: t.Mapping[str, t.Any]
) -> tuple[list[Entry], list[str]]:
    """The tenants that include and exclude leave, and what the user should know about these, as sentences.

    :param hosts: the names of the hosts, by the tenant.
    :raises OptionError: none is left.
    """
    warnings = []
    fitting: dict[str, set[str]] = {}
    for option in ("include", "exclude"):
        fitting[option] = set()
        for pattern in filter(None, params[option] or ()):
            fits = {one.tenant for one in found if _fits(pattern.lower(), one, hosts[one.tenant])}
            if not fits:
                warnings.append(f"{option} has {untrusted.one_line(pattern)}, which fits no tenant.")
            fitting[option] |= fits
    included = fitting["include"] if any(params["include"] or ()) else {one.tenant for one in found}
    left = [one for one in found if one.tenant in included - fitting["exclude"]]
    if not left:
        raise errors.OptionError(
            f"include and exclude leave none of {len(found)} tenants", advice="name at least one that is to stay"
        )
    return left, warnings


def _fits(pattern: str, one: Entry, host: str) -> bool:
    # A name with brackets in it is written as it is, too.
    texts = [text.lower() for text in (one.title, one.display_name or "", host, one.tenant) if text]
    return any(text == pattern or fnmatch.fnmatchcase(text, pattern) for text in texts)


def customers(found: t.Iterable[t.Mapping[str, str]], names: t.Mapping[str, t.Any] | None) -> list[Entry]:
    """The tenants that Partner Center told of, with the names that the user has for them.

    :param found: each with ``tenant`` and ``name``.
    :raises OptionError: a name is given for what is no GUID, or is none.
    """
    given = {}
    for tenant, name in (names or {}).items():
        if not tenant_ids.is_guid(str(tenant)) or not name or isinstance(name, (dict, list)):
            raise errors.OptionError(
                f"names has {untrusted.one_line(str(tenant))}", advice="give a name by the GUID of each tenant"
            )
        given[str(tenant).lower()] = str(name)
    return [Entry(one["tenant"], given.get(one["tenant"], one["name"]), {}, one["name"]) for one in found]


def usable(cached: t.Any) -> Kept | None:
    """What a cache gave, or None: whoever else writes there may have put anything."""
    if not isinstance(cached, dict) or not isinstance(cached.get("customers"), list) or not cached["customers"]:
        return None
    found = []
    for one in cached["customers"]:
        tenant, name = (one.get("tenant"), one.get("name")) if isinstance(one, dict) else (None, None)
        if not isinstance(tenant, str) or not tenant_ids.is_guid(tenant) or not isinstance(name, str):
            return None
        found.append({"tenant": str.__str__(tenant).lower(), "name": str.__str__(name)})
    try:
        read = timestamps.parse(cached.get("read"))
    except ValueError:
        return None
    return None if read is None else Kept(read, found)


def is_fresh(kept: Kept, now: datetime, timeout: float) -> bool:
    """Whether what is kept need not be asked for anew.

    :param timeout: seconds for which it is good; 0 for ever.
    """
    return not timeout or timedelta() <= now - kept.read <= timedelta(seconds=timeout)


def host_variables(one: Entry, params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The variables of a tenant's host; where to ask for it is handed on, who asks is not."""
    told = {"id": one.tenant, "name": one.title}
    if one.display_name is not None:
        told["display_name"] = one.display_name
    return {
        "ansible_connection": unsafe("local"),
        **handed_on(params, PREFIX, tenant=one.tenant),
        **unsafe(dict(one.variables)),
        VARIABLE: unsafe(told),
    }


def the_tenant(variables: t.Mapping[str, t.Any]) -> str:
    """The tenant, in lower case, that a host with these variables is; "" if it is none."""
    told = variables.get(VARIABLE)
    known = told.get("id") if isinstance(told, dict) else None
    return str(known or variables.get(f"{PREFIX}tenant") or "").lower()


def encrypted_variable(config: t.Mapping[str, t.Any]) -> str:
    """The name of a variable in ``tenants`` that has an encrypted value, which would be shown; "" for none.

    :param config: the file as Ansible read it.
    """
    listed = config.get("tenants")
    for one in listed if isinstance(listed, list) else ():
        variables = one.get("vars") if isinstance(one, dict) else None
        for name, value in (variables if isinstance(variables, dict) else {}).items():
            if _has_encrypted(value):
                return str(name)
    return ""


def _has_encrypted(value: t.Any) -> bool:
    if isinstance(value, (dict, list)):
        return any(map(_has_encrypted, value.values() if isinstance(value, dict) else value))
    # What ansible-core makes of "!vault", in old and new versions.
    return hasattr(value, "_ciphertext")


class InventoryModule(InventorySource):
    """Found by Ansible under this name."""

    NAME = "graphops.intune.tenants"
    endings = ("tenants.yml", "tenants.yaml")
    group = "tenants"
    thing = "tenant"
    rename = "give it another name, by names if it comes from Partner Center, or leave it out by exclude"

    def spec(self) -> dict[str, t.Any]:
        """See :func:`spec`."""
        return spec()

    def identify(self, variables: t.Mapping[str, t.Any]) -> str:
        """See :func:`the_tenant`."""
        return the_tenant(variables)

    def own_groups(self) -> t.Collection[str]:
        """The groups that the file names, too."""
        return {self.group, *map(self._sanitize_group_name, self.get_option("groups") or {})}

    def check_config(self, config: t.Mapping[str, t.Any]) -> None:
        """See that no encrypted value becomes a variable."""
        name = encrypted_variable(config)
        if name:
            raise errors.OptionError(
                f"in tenants, vars has {name}, which is encrypted, and the inventory would show it",
                advice="put it into host_vars or group_vars beside the file",
            )

    def find_hosts(self, params: t.Mapping[str, t.Any], path: str, cache: bool) -> dict[str, dict[str, t.Any]]:
        """The tenants that are chosen, by the names of their hosts."""
        where = way(params)
        if where == "partner_center":
            customers([], params["names"])
            found = customers(self._customers(params, path, cache), params["names"])
        else:
            # Else the role would find out, for each host.
            clouds.endpoints({name: option_values.lookup(name, (), params, {}) for name in clouds.CLOUD_VARIABLES})
            found = entries(where, params["tenants"] if where == "tenants" else self._file(path, params[where]))
        # Named before they are chosen, so that no name depends on what is left out.
        hosts = tenant_host_names({one.tenant: one.title for one in found})
        left, warnings = chosen(found, hosts, params)
        for warning in warnings:
            self.display.warning(warning)
        return {hosts[one.tenant]: host_variables(one, params) for one in left}

    def check_added(self, inventory: t.Any, names: t.Collection[str]) -> None:
        """See that no group got the name of a tenant: a limit of that name would mean the group."""
        for name in names:
            if name in inventory.groups:
                raise AnsibleParserError(
                    f"the tenant {name} has the name of a group that groups or keyed_groups makes; {self.rename}."
                )

    def _file(self, path: str, name: str) -> list[t.Any]:
        try:
            where = self.loader.get_real_file(str(Path(path).absolute().parent / name))
        except AnsibleError as error:
            raise errors.OptionError(
                f"tenants_file {name} cannot be used: {untrusted.one_line(str(error))}",
                advice="give a file that is there; a relative path begins at the folder of the inventory file",
            ) from None
        try:
            return read_file(where, name)
        finally:
            # If it was encrypted, this is a copy.
            self.loader.cleanup_tmp_file(where)

    def _customers(self, params: t.Mapping[str, t.Any], path: str, cache: bool) -> list[dict[str, str]]:
        """The customers, from the cache or from Partner Center.

        :raises Unreadable: it cannot be read, and nothing is kept that may stand in for it.
        """
        who = identity.read_identity(params, os.environ)
        settings, secrets = connection.read_connection(params), identity.secrets(params, os.environ)
        # What is wrong with the options ends it here, whatever is kept.
        open_graph(who, settings, context_of(self.display.warning, secrets.update), permission=PERMISSION)
        key, kept = self._kept(path, who)
        now = Clock().now()
        if cache and kept and is_fresh(kept, now, float(self.get_option("cache_timeout") or 0)):
            return kept.customers
        try:
            with shell.quiet_libraries():
                read: list[dict[str, str]] = outcome(CustomersCommand(), params, secrets, self.display.warning)[
                    "customers"
                ]
        except Unreadable as failure:
            if self.get_option("on_unreadable") == "fail":
                raise
            if kept is None:
                raise Unreadable(f"{failure} The cache has no customers either.") from None
            self.display.warning(
                f"{failure} Those {len(kept.customers)} are kept that were read at {timestamps.text(kept.read)}."
            )
            return kept.customers
        if key:
            self._cache[key] = {"read": timestamps.text(now), "customers": read}
        return read

    def _kept(self, path: str, who: identity.Identity) -> tuple[str, Kept | None]:
        """The key that the customers are kept under, "" if they may not be, and what is kept."""
        key = cache_key(who) if self.get_option("cache") else None
        if not key:
            return "", None
        # Ansible would have the plugin of the cache forget what is too old, which is all there is if nothing can be
        # read. So how old it is stands in what is kept.
        options = {"_uri": "cache_connection", "_prefix": "cache_prefix"}
        given = {name: self.get_option(option) for name, option in options.items()}
        given = {name: value for name, value in given.items() if value is not None}
        self._cache = get_cache_plugin(self.get_option("cache_plugin"), _timeout=0, **given)
        key = f"{self.get_cache_key(path)}_{key}"
        return key, usable(self._cache.get(key))
