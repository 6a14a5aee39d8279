# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Many tenants, looked at again and again by one process that may run for months."""

from __future__ import annotations

import logging
import queue
import threading
import typing as t

from .._ground import clock, errors, given_options, host_names, option_values, secrecy
from .._http.connection import Connection, connection_spec, read_connection
from .._identity import identity
from .._kinds.kind import Kind
from .._kinds.registry import KINDS
from . import edges, overview
from .session import Context, Session, open_graph

# What a tenant has, rather than what is at its edge; in this order it is told of.
_OF_EVERY_TENANT = ("vpp_token", "enrollment_program_token", "autopilot", "managed_google_play", "exchange_connector")
# Seconds, where Microsoft does not say how often Intune synchronises by itself.
_AUTOMATIC_AT_MOST = 86400
# How many tenants are read at the same time; each has connections of its own. In Python one thread runs at a time, some
# milliseconds each: with twice as many of them, the event loop of the process waited for up to a tenth of a second.
_AT_ONCE = 4
# Seconds for which a sign-in and what it has learnt are kept. What a file of the identity holds is then read anew.
_SESSION = 3600
# Seconds until whoever waits for threads looks about, and for which it waits for those that were told to end.
_GLANCE, _PATIENCE = 0.05, 5.0

# A test puts another clock here.
TIME = clock.Clock()

# What belongs together: a tenant with one of these of its own takes none of those that are meant for all.
_CREDENTIALS = (
    "auth_source",
    "secret",
    "x509_certificate_path",
    "x509_certificate_password",
    "thumbprint",
    "oidc_token",
    "oidc_token_file_path",
    "oidc_audience",
    "service_connection_id",
    "username",
    "password",
    "refresh_token",
    "access_token",
)


class Watched(t.NamedTuple):
    """A tenant to look at.

    :param name: as the user calls it.
    :param host: the name of the host that it is in an inventory.
    """

    name: str
    host: str
    identity: identity.Identity


class Settings(t.NamedTuple):
    """What to look at, and when; times in seconds, names as those of the options.

    :param max_age: by kind; None for what is never stale.
    """

    tenants: tuple[Watched, ...]
    kinds: tuple[Kind, ...]
    max_age: t.Mapping[str, int | None]
    warn_days: int
    interval: int
    initial: bool
    repeat_after: int
    connection: Connection


def known_kinds() -> dict[str, Kind]:
    """The kinds that can be looked at: not those of which a tenant has thousands."""
    return {kind.name: kind for kind in KINDS if not kind.large}


def watch_spec() -> dict[str, t.Any]:
    """The argument spec."""
    return {
        "tenants": {"type": "list", "elements": "raw"},
        "kinds": {"type": "list", "elements": "str", "default": [*_OF_EVERY_TENANT], "choices": [*known_kinds()]},
        "max_age": {"type": "raw"},
        "warn_days": {"type": "int", "default": 30},
        "interval": {"type": "int", "default": 300},
        "initial": {"type": "str", "default": "all", "choices": ["all", "none"]},
        "repeat_after": {"type": "int", "default": 0},
        **identity.identity_spec(),
        **connection_spec(),
    }


def tenant_spec() -> dict[str, t.Any]:
    """The argument spec of a tenant that is given as a dictionary."""
    return {"name": {"type": "str", "required": True}, **identity.identity_spec()}


def default_max_age(kind: Kind) -> int | None:
    """From which age in seconds on a thing of this kind is stale if the user does not say; None for never."""
    return 2 * (kind.action.automatic or _AUTOMATIC_AT_MOST) if kind.action else None


def read_settings(given: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> Settings:
    """Read the options of an event source.

    :param given: as they stand in a rulebook; nobody has checked them.
    :param environ: the environment, which may complete the identity.
    :raises OptionError: one of them cannot be right.
    """
    # All that is meant to be secret, before anything is said about it.
    for options in (given, *_dictionaries(given.get("tenants"))):
        named = {
            name: str(options[said])
            for name, option in identity.identity_spec().items()
            for said in (name, *option.get("aliases", ()))
            if options.get(said)
        }
        secrecy.hide(identity.secrets(named, environ))
    params = given_options.read_options(identity.without_empty(given), watch_spec())
    option_values.at_least(10, params, ("interval",))
    option_values.at_least(0, params, ("repeat_after",))
    if params["warn_days"] < 0:
        raise errors.OptionError(f"warn_days is {params['warn_days']}", advice="give a number of days, at least 0")
    kinds = [known_kinds()[name] for name in dict.fromkeys(params["kinds"])]
    if not kinds:
        raise errors.OptionError("kinds is empty", advice="leave it out for those that a tenant has")
    return Settings(
        tenants=_tenants(params, environ),
        kinds=tuple(kinds),
        max_age=_max_age(params["max_age"], kinds),
        warn_days=params["warn_days"],
        interval=params["interval"],
        initial=params["initial"] == "all",
        repeat_after=params["repeat_after"],
        connection=read_connection(params),
    )


def _dictionaries(value: t.Any) -> list[t.Mapping[str, t.Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _max_age(value: t.Any, kinds: t.Sequence[Kind]) -> dict[str, int | None]:
    """By kind, from which age on a thing is stale."""
    if isinstance(value, dict):
        spec: dict[str, t.Any] = {name: {"type": "int"} for name in known_kinds()}
        found = given_options.read_options(value, spec, "in max_age")
    else:
        spec = {"max_age": {"type": "int"}}
        found = dict.fromkeys(known_kinds(), given_options.read_options({"max_age": value}, spec)["max_age"])
    for name, age in found.items():
        if age is not None and age < 1:
            where = f"{name} in max_age" if isinstance(value, dict) else "max_age"
            raise errors.OptionError(f"{where} is {age}", advice="give a number of seconds that is at least 1")
    return {kind.name: default_max_age(kind) if found[kind.name] is None else found[kind.name] for kind in kinds}


def _tenants(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> tuple[Watched, ...]:
    """Read which tenants to look at, and who signs in to each."""
    entries = params["tenants"]
    if entries is None:
        only = option_values.lookup("tenant", identity.IDENTITY_VARIABLES["tenant"], params, environ).value
        if not only:
            raise errors.OptionError("which tenants to look at is not said", advice="name them in tenants")
        entries = [only]
    elif params["tenant"]:
        raise errors.OptionError("tenant and tenants are both given", advice="name all tenants in tenants")
    elif not entries:
        raise errors.OptionError("tenants is empty", advice="name at least one tenant")
    found = [_entry(entry, params) for entry in entries]
    names = [name for name, _options in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise errors.OptionError(f"tenants has {twice[0]!r} twice", advice="give each tenant a name of its own, once")
    hosts = host_names.host_names(names)
    watched = tuple(Watched(name, hosts[name], _identity(name, options, environ)) for name, options in found)
    _check_each_has_its_own(watched)
    return watched


def _check_each_has_its_own(watched: t.Sequence[Watched]) -> None:
    """See that no two tenants are read by what belongs to one: then both would show the same."""
    by_identity: dict[t.Any, str] = {}
    for tenant in watched:
        key = tenant.identity.only_tenant
        if key is None:
            continue
        if key in by_identity:
            raise tenant.identity.reads_one_tenant(f"{by_identity[key]} and {tenant.name} share one")
        by_identity[key] = tenant.name


def _entry(entry: t.Any, params: t.Mapping[str, t.Any]) -> tuple[str, dict[str, t.Any]]:
    """A tenant's name, and the options of its identity."""
    shared = {name: params[name] for name in identity.identity_spec()}
    if not isinstance(entry, dict):
        name = _name(entry)
        return name, {**shared, "tenant": name}
    name = _name(entry.get("name"))
    own = given_options.read_options(identity.without_empty(entry), tenant_spec(), f"of tenant {name}")
    # What was not said is for all to say; a default was not said.
    said = {one: value for one, value in own.items() if one != "name" and one in _said(entry)}
    if any(said.get(one) for one in _CREDENTIALS):
        shared.update(dict.fromkeys(_CREDENTIALS))
    return name, {**shared, "tenant": name, **said}


def _said(entry: t.Mapping[str, t.Any]) -> set[str]:
    """The options that an entry has a value for, by their names."""
    return {
        name
        for name, option in identity.identity_spec().items()
        if any(entry.get(said) not in (None, "") for said in (name, *option.get("aliases", ())))
    }


def _name(value: t.Any) -> str:
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not text:
        raise errors.OptionError(
            "tenants has an entry without a name", advice="give each as a name, or as a dictionary with name"
        )
    return text


def _identity(name: str, options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> identity.Identity:
    try:
        return identity.read_identity(options, environ)
    except errors.OptionError as error:
        raise errors.OptionError(f"tenant {name}: {error.what}", advice=error.advice) from None


class _Open(t.NamedTuple):
    """A tenant that is being looked at, and what must not be shown of it, since when on the clock."""

    session: Session
    scope: secrecy.Scope
    since: float


class _NothingFromOurThreads(logging.Filter):
    """Drops what a library logs while it works for us: it may repeat an answer with a secret in it."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def filter(self, _record: logging.LogRecord) -> bool:
        return threading.get_ident() not in self.threads


_SILENT = _NothingFromOurThreads()


def _silence_libraries() -> None:
    """Have msal log nothing that it does for us; others in this process may want to read what it does for them."""
    for name in [*logging.root.manager.loggerDict]:
        if name.split(".")[0] == "msal":
            # A filter that is there already is not added again.
            logging.getLogger(name).addFilter(_SILENT)


class Watcher:
    """Looks at tenants, as often as it is told to. It has no threads between two looks.

    :param environ: the environment of the process.
    :raises IntuneError: what a file holds cannot be right, or a library is missing; no request was made.
    """

    def __init__(self, settings: Settings, environ: t.Mapping[str, str], time: clock.Clock) -> None:
        self.settings = settings
        self._cancelled = threading.Event()
        self._context = Context(
            check_mode=False,
            environ=environ,
            clock=clock.cancellable(time, self._cancelled),
            warn=lambda _text: None,
            progress=lambda _text: None,
            hide=lambda _tokens: None,
        )
        self._open: dict[str, _Open] = {}
        # What sentences of the last look may still have in them.
        self._over: list[secrecy.Scope] = []
        for tenant in settings.tenants:
            self._check(tenant)
        _silence_libraries()

    def poll(self, take: t.Callable[[Watched, edges.Seen], t.Any]) -> None:
        """Look at all tenants once, several at a time.

        :param take: takes what was seen of each as soon as it is known; called by other threads.
        """
        for scope in self._over:
            scope.end()
        self._over.clear()
        waiting: queue.SimpleQueue[Watched] = queue.SimpleQueue()
        for tenant in self.settings.tenants:
            waiting.put(tenant)

        def work() -> None:
            _SILENT.threads.add(threading.get_ident())
            try:
                while not self._cancelled.is_set():
                    tenant = waiting.get_nowait()
                    take(tenant, self._look(tenant))
            except (queue.Empty, clock.Cancelled):
                pass
            finally:
                _SILENT.threads.discard(threading.get_ident())

        # Whoever ends the process does not wait for them.
        working = [
            threading.Thread(target=work, name=f"graphops.intune-{number}", daemon=True)
            for number in range(min(_AT_ONCE, len(self.settings.tenants)))
        ]
        for thread in working:
            thread.start()
        for thread in working:
            while thread.is_alive() and not self._cancelled.is_set():
                thread.join(_GLANCE)
        if self._cancelled.is_set():
            self._cut(working)

    def cancel(self) -> None:
        """Have :meth:`poll` return soon, also while it waits for an answer."""
        self._cancelled.set()

    def _cut(self, working: t.Sequence[threading.Thread]) -> None:
        for _glance in range(int(_PATIENCE / _GLANCE)):
            # One may have begun another request in between.
            for open_ in list(self._open.values()):
                open_.session.graph.http.cut()
            for thread in working:
                thread.join(_GLANCE / len(working))
            if not any(thread.is_alive() for thread in working):
                return

    def _check(self, tenant: Watched) -> None:
        try:
            self._opened(tenant)
        except errors.OptionError as error:
            raise errors.OptionError(f"tenant {tenant.name}: {error.what}", advice=error.advice) from None

    def _opened(self, tenant: Watched) -> _Open:
        open_ = self._open.get(tenant.name)
        if open_ is None:
            scope = secrecy.Scope()
            with scope.entered():
                permissions = dict.fromkeys(kind.permission for kind in self.settings.kinds)
                session = open_graph(
                    tenant.identity, self.settings.connection, self._context, permission=" and ".join(permissions)
                )
            open_ = self._open[tenant.name] = _Open(session, scope, self._context.clock.monotonic())
        return open_

    def _look(self, tenant: Watched) -> edges.Seen:
        """Look at one tenant, and judge what was seen."""
        settings = self.settings
        found: overview.Overview | errors.IntuneError
        try:
            open_ = self._opened(tenant)
        except Exception as error:  # noqa: BLE001
            return self._judged(tenant, errors.unexpected(error))
        with open_.scope.entered():
            try:
                found = overview.read(settings.kinds, open_.session.graph)
            except Exception as error:  # noqa: BLE001
                found = errors.unexpected(error)
            seen = self._judged(tenant, found)
        failed = not isinstance(found, overview.Overview) or any(
            isinstance(read, errors.IntuneError) for _kind, read in found.found
        )
        # With hundreds of tenants, every file that stays open counts.
        open_.session.graph.http.reset_connections()
        if failed or self._context.clock.monotonic() - open_.since >= _SESSION:
            # Another sign-in may have what this one had not: a new certificate, a permission.
            self._over.append(self._open.pop(tenant.name).scope)
        return seen

    def _judged(self, tenant: Watched, found: overview.Overview | errors.IntuneError) -> edges.Seen:
        return edges.tenant_seen(tenant.name, found, self.settings.max_age, self.settings.warn_days)
