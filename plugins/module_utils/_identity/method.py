# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What a way to sign in consists of; each has a file of its own, ``method_<source>.py``, with such a value in it."""

from __future__ import annotations

import re
import typing as t

from .._ground.errors import SOMEONE, OptionError
from .._ground.option_values import OptionValue

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._http.transport import Transport
    from .identity import Identity

_HEADER_WORD = re.compile(r"[\x21-\x7e]+")
_NO_TENANT_OF_ITS_OWN = frozenset(("common", "organizations", "consumers"))


class Given(t.NamedTuple):
    """What options and environment give.

    :param values: every identity option.
    :param environ: the environment as the task sees it.
    :param own: the names of the variables in it that the task's own ``environment`` sets.
    :param allowed: whether ``allow_environment_credential`` is set.
    """

    values: t.Mapping[str, OptionValue]
    environ: t.Mapping[str, str]
    own: t.Container[str]
    allowed: bool


class Attempt(t.NamedTuple):
    """What there is to sign in with, once.

    :param credential: what :attr:`Method.credential` has made.
    :param limit: seconds for all of it.
    :param environ: the environment as the task sees it.
    :param permission: what the token is needed for, of Graph's.
    :param hide: takes what must not be shown.
    :param take_assertion: takes the federated token that is to be sent, which must not be shown either.
    """

    identity: Identity
    credential: t.Any
    http: Transport
    limit: float
    environ: t.Mapping[str, str]
    permission: str
    hide: t.Callable[..., None]
    take_assertion: t.Callable[[str], None]


def _accepts(given: Given) -> None:
    """Find nothing wrong."""


def _as_given(given: Given) -> t.Mapping[str, OptionValue]:
    return given.values


def _no_credential(identity: Identity, hide: t.Callable[..., None]) -> None:
    """Leave nothing to be read."""


class Inspection(t.NamedTuple):
    """What there is to look at the credential of a sign-in with, whether it succeeded or not.

    :param http: None if there is no way to ask anybody.
    :param assertion: the federated token that was sent; "" for none.
    """

    identity: Identity
    http: Transport | None
    environ: t.Mapping[str, str]
    now: datetime
    assertion: str


def _no_details(_inspection: Inspection) -> dict[str, t.Any]:
    """Tell nothing."""
    return {}


class Method(t.NamedTuple):
    """One way to sign in.

    :param source: its name as a value of ``auth_source``.
    :param label: it in words, to follow "sign-in ...".
    :param acquire: asks for a token: ``access_token`` and ``expires_in``, the seconds that it is good for.
    :param credentials: the options that prove who we are; all of them are needed, of a tuple within it one.
    :param needs: the other options that it needs.
    :param belongings: the options that belong to the first of ``credentials``; one that stands farther away than that
        may belong to another, so it holds only if it fits.
    :param asker: who asks Graph with its tokens: :data:`APP`, :data:`USER` or :data:`SOMEONE`.
    :param tenant: the tenant unless one is given.
    :param client_id: the app unless one is given.
    :param host_variables: what else of the environment decides whose token it is; whoever gives it reads these.
    :param renewable: whether another token may be had.
    :param uses_msal: whether it is msal that signs in.
    :param check: raises OptionError if what is given cannot be right.
    :param settle: the values that hold, of those that are given.
    :param sent: the parts of the credential that leave this host, if others than ``credentials``.
    :param credential: reads what is to be read before any network call. It gets what hides secrets, too.
    :param inspect: tells what may be shown of the credential, as results of ``intune_sign_in_info``; never fails.
    """

    source: str
    label: str
    acquire: t.Callable[[Attempt], t.Mapping[str, t.Any]]
    credentials: tuple[str | tuple[str, ...], ...] = ()
    needs: tuple[str, ...] = ()
    belongings: tuple[str, ...] = ()
    asker: str = SOMEONE
    tenant: str = ""
    client_id: str = ""
    host_variables: tuple[str, ...] = ()
    renewable: bool = True
    uses_msal: bool = True
    check: t.Callable[[Given], None] = _accepts
    settle: t.Callable[[Given], t.Mapping[str, OptionValue]] = _as_given
    sent: t.Callable[[Given], t.Iterable[OptionValue]] | None = None
    credential: t.Callable[[Identity, t.Callable[..., None]], t.Any] = _no_credential
    inspect: t.Callable[[Inspection], dict[str, t.Any]] = _no_details

    @property
    def options(self) -> list[str]:
        """The options that it needs, or of which it needs one."""
        return [name for entry in (*self.needs, *self.credentials) for name in _alternatives(entry)]

    def missing(self, values: t.Mapping[str, OptionValue]) -> list[str]:
        """The names of the options without which this way is incomplete."""
        wanted = [_alternatives(entry) for entry in (*self.credentials, *self.needs)]
        return [" or ".join(names) for names in wanted if not any(values[name].value for name in names)]

    def proven_by_options(self, values: t.Mapping[str, OptionValue]) -> bool:
        """Whether options alone prove who we are, whatever else the environment gives."""
        wanted = [_alternatives(entry) for entry in self.credentials]
        return all(any(values[name].from_options for name in names) for names in wanted)

    def proven_by(self, values: t.Mapping[str, OptionValue]) -> list[OptionValue]:
        """The proofs that are there."""
        names = [name for entry in self.credentials for name in _alternatives(entry)]
        return [values[name] for name in names if values[name].value]


def _alternatives(entry: str | tuple[str, ...]) -> tuple[str, ...]:
    return (entry,) if isinstance(entry, str) else entry


def listed(words: t.Sequence[str]) -> str:
    """The words as one would say them."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def is_or_are(words: t.Sequence[str]) -> str:
    """The verb behind words that are :func:`listed`."""
    return "is" if len(words) == 1 else "are"


def is_token(text: str) -> bool:
    """Whether a text can be a token, which goes into a header."""
    return bool(_HEADER_WORD.fullmatch(text))


def check_tenant_of_app(given: Given) -> None:
    """See that an app is to sign in to one tenant."""
    tenant = given.values["tenant"]
    if tenant.value.lower() in _NO_TENANT_OF_ITS_OWN:
        raise OptionError(
            f"{tenant.source} is {tenant.value}, but an app signs in to one tenant",
            advice="give the tenant's GUID or one of its domains",
        )


def check_one_place(given: Given, address: str, proof: str, called: str) -> None:
    """See that who names an address in the environment also gives the proof that is sent there.

    :param address: the variable with the address; ``proof`` the one with the proof.
    :param called: what the address is called.
    :raises OptionError: the task's own ``environment`` names the address alone.
    """
    if not given.allowed and address in given.own and given.environ.get(proof) and proof not in given.own:
        raise OptionError(
            f"{address} is set for this task, but {proof} is that of the run",
            advice=f"set both in the same place, or set allow_environment_credential to true if that {called} may have"
            " it",
        )


def check_texts(given: Given, *names: str) -> None:
    """See that a request can be made of these options.

    The environment's bytes that are no UTF-8 are halves of characters here.
    """
    for text in (given.values[name] for name in names):
        if any("\ud800" <= char <= "\udfff" for char in text.value):
            raise OptionError(f"{text.source} is no text in UTF-8", advice="write it anew, in UTF-8")
