# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""What the inventory plugins share: their options, names and groups that are nobody else's, and all hosts or none."""

from __future__ import annotations

import hashlib
import json
import os
import typing as t

import jinja2
from ansible import constants
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._ground import clouds, errors, untrusted
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context
from ansible_collections.graphops.intune.plugins.plugin_utils.inventory_values import unmarked, unsafe
from ansible_collections.graphops.intune.plugins.plugin_utils.masking import masked

_SECRETS = {name for name, how in identity.identity_spec().items() if how.get("no_log")}


class Unreadable(Exception):
    """What could not be read from Graph; the message is a sentence that may be shown."""


def context_of(warn: t.Callable[[str], t.Any], hide: t.Callable[[t.Iterable[str]], t.Any]) -> Context:
    """The context in which an inventory asks Graph; ``warn`` and ``hide`` are its own."""
    return Context(
        check_mode=False, environ=os.environ, clock=Clock(), warn=warn, progress=lambda _text: None, hide=hide
    )


def outcome(
    command: shell.Command,
    params: t.Mapping[str, t.Any],
    secrets: t.Collection[str],
    warn: t.Callable[[str], t.Any],
) -> dict[str, t.Any]:
    """Let a command read, as a module does; for threads.

    :param params: the options of identity and connection; those of the command's own keep their defaults.
    :param secrets: what must not be shown, whatever the other side sends back.
    :param warn: takes sentences that the user should read.
    :returns: the command's result, without secrets and tokens.
    :raises Unreadable: it failed, for whatever reason.
    """
    tokens: set[str] = set()
    context = context_of(lambda text: warn(masked(text, {*secrets, *tokens})), tokens.update)
    result = shell.outcome(command, {**dict.fromkeys(command.argument_spec()), **params}, context)
    if "msg" in result:
        asked_for = f" The request_id is {result['request_id']}." if result.get("request_id") else ""
        raise Unreadable(masked(result["msg"] + asked_for, {*secrets, *tokens}))
    return t.cast("dict[str, t.Any]", masked(result, tokens))


def cache_key(who: identity.Identity) -> str | None:
    """What ``who`` reads is cached under this key; None if nobody can tell whose it is.

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


def handed_on(params: t.Mapping[str, t.Any], prefix: str, **known: t.Any) -> dict[str, t.Any]:
    """The variables of a host by which a role finds where to ask; who asks is no part of them.

    :param params: the options of the identity.
    :param prefix: what the role's variables begin with.
    :param known: more of them, without the prefix; those that are empty are left out.
    """
    names = (*clouds.CLOUD_VARIABLES, "allow_environment_credential")
    where = {name: params[name] for name in names if params[name]}
    return {f"{prefix}{name}": unsafe(value) for name, value in {**known, **where}.items() if value}


def check_expression(option: str, expression: t.Any) -> None:
    """See that an expression is one.

    :raises OptionError: it can have no value, whatever the hosts are.
    """
    if not isinstance(expression, str) or not expression:
        return
    try:
        jinja2.Environment().parse("{{ (" + expression + ") }}")  # noqa: S701 - it is not evaluated
    except jinja2.TemplateSyntaxError as error:
        raise errors.OptionError(
            f"{option} is no Jinja expression: {untrusted.one_line(str(error))}", advice="write it without braces"
        ) from None


class InventorySource(BaseInventoryPlugin, Constructable, Cacheable):
    """An inventory plugin whose hosts are things that this collection knows."""

    # What its files end with, the group of its hosts, what one is called in sentences, and what to do if its name is
    # taken.
    endings: t.ClassVar[tuple[str, ...]]
    group: t.ClassVar[str]
    thing: t.ClassVar[str]
    rename: t.ClassVar[str]

    # ansible-core does not say what types these have.
    loader: t.Any
    get_option: t.Any
    _read_config_data: t.Any
    _compose: t.Any
    _set_composite_vars: t.Any
    _add_host_to_composed_groups: t.Any
    _add_host_to_keyed_groups: t.Any
    _sanitize_group_name: t.Any

    def spec(self) -> dict[str, t.Any]:
        """The argument spec of the options that the engine gets."""
        raise NotImplementedError

    def find_hosts(self, params: t.Mapping[str, t.Any], path: str, cache: bool) -> dict[str, dict[str, t.Any]]:
        """The hosts by name, with the variables that do not depend on other hosts.

        :param params: all options of :meth:`spec`.
        :param path: of the file.
        :param cache: whether what the cache has may be used.
        :raises IntuneError: an option cannot be right, or a library is missing.
        :raises Unreadable: Graph cannot be read.
        """
        raise NotImplementedError

    def identify(self, variables: t.Mapping[str, t.Any]) -> str:
        """Which thing a host with these variables is; "" for none of ours."""
        raise NotImplementedError

    def check_config(self, config: t.Mapping[str, t.Any]) -> None:
        """See that the file is right, as Ansible has read it.

        :raises OptionError: it is not.
        """

    def expressions(self) -> t.Iterable[tuple[str, t.Any]]:
        """The options of its own that are expressions."""
        return ()

    def own_groups(self) -> t.Collection[str]:
        """The names that its groups will have, as far as they are known before there are hosts."""
        return (self.group,)

    def check_added(self, inventory: t.Any, names: t.Collection[str]) -> None:
        """See that all is well with the hosts that were added.

        :raises AnsibleError: it is not, and none of them may stay.
        """

    def verify_file(self, path: str) -> bool:
        """Tell whether ``path`` is meant for this plugin."""
        readable: bool = super().verify_file(path)  # type: ignore[no-untyped-call]
        return readable and path.endswith(self.endings)

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the hosts that the file at ``path`` describes to the inventory."""
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        try:
            self.check_config(config)
            params = self._params(config)
            self._check_expressions()
            hosts = self.find_hosts(params, path, cache)
            for name, variables in hosts.items():
                self._check_name(inventory, name, variables)
        # "from None" each time: newer ansible-core would repeat the cause, which may hold what was masked.
        except (errors.MissingLibraryError, errors.OptionError) as error:
            raise AnsibleParserError(error.sentence()) from None
        except Unreadable as error:
            raise AnsibleParserError(str(error)) from None
        # Only now, and all or none, so that a failure leaves nothing behind: Ansible goes on with what there is.
        inventory.add_group(self.group)
        added = [name for name in hosts if inventory.get_host(name) is None]
        try:
            for name, variables in hosts.items():
                self._add(inventory, name, variables)
            self.check_added(inventory, hosts)
        except AnsibleError:
            for name in filter(inventory.get_host, added):
                inventory.remove_host(inventory.get_host(name))
            raise

    def _check_expressions(self) -> None:
        for option, expression in self.expressions():
            check_expression(option, expression)
        if not self.get_option("strict"):
            # Ansible passes over those that do not do.
            return
        for option in ("compose", "groups"):
            for name, expression in (self.get_option(option) or {}).items():
                check_expression(f"{option}, {name},", expression)
        for entry in self.get_option("keyed_groups") or []:
            check_expression("keyed_groups, key,", entry.get("key") if isinstance(entry, dict) else None)

    def _check_name(self, inventory: t.Any, name: str, variables: t.Mapping[str, t.Any]) -> None:
        """See that a host takes over nobody else's name."""
        own = self.identify(variables)
        if name in constants.LOCALHOST or name in inventory.groups or name in self.own_groups():
            why = "Ansible has for the local host, or for a group"
        elif name in inventory.hosts and self.identify(inventory.hosts[name].vars) != own:
            why = f"another source of the inventory, or another {self.thing}, has already"
        else:
            return
        raise errors.OptionError(
            f"the {self.thing} {untrusted.one_line(own)} would be the host {name}, a name that {why}",
            advice=self.rename,
        )

    def _params(self, config: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """The options that the engine gets, checked as a module's are.

        They are taken from the file again, because Ansible has made absolute paths and split lists of templates.
        """
        own = self.spec()
        known = {
            name for option, facts in self.option_definitions.items() for name in (option, *facts.get("aliases", ()))
        }
        for name in config:
            if name not in known:
                raise errors.OptionError(f"{name} is no option", advice="see ansible-doc for those that there are")
        names = {name for option, facts in own.items() for name in (option, *facts.get("aliases", ()))}
        self.templar.available_variables = self._vars or {}
        given = {name: self._plain(name, value) for name, value in config.items() if name in names}
        for name, facts in own.items():
            # A template without a result, as an empty variable of AWX.
            if given.get(name) == "" and facts["type"] == "list":
                given[name] = None
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
            if isinstance(value, dict):
                return {str.__str__(str(part)): self._plain(name, entry) for part, entry in value.items()}
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

    def _add(self, inventory: t.Any, name: str, variables: dict[str, t.Any]) -> None:
        inventory.add_host(name, group=self.group)
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
        if group.name in inventory.hosts or not all(self.identify(host.vars) for host in group.get_hosts()):
            raise AnsibleParserError(
                f"keyed_groups would put the host {name} into the group {group.name}, but that is the name of a host,"
                " or a group with hosts of another source; give the entry of keyed_groups a prefix."
            )
