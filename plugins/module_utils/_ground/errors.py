# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What can go wrong, as one sentence each: what happened, what the other side says, and what to do."""

from __future__ import annotations

import platform
import sys
import typing as t

from . import untrusted

# The libraries that are needed, and the oldest versions of them.
LIBRARIES = {"requests": "2.32.3", "msal": "1.32.0"}


# Who asks: an app, a user by way of one, or, with a token that somebody else got, nobody knows.
APP, USER, SOMEONE = "app", "user", ""

PROXY_ADVICE = "check that no proxy or portal stands in between"


class IntuneError(Exception):
    """A failure in words.

    :param what: what happened, as a clause without an end mark.
    :param advice: what to do, as a clause; may be empty.
    :param request_id: what Microsoft's support asks for, if there is one.
    """

    def __init__(self, what: str, *, advice: str = "", request_id: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.request_id = request_id
        # What is known all the same; only those that know something set it.
        self.result: dict[str, t.Any] = {}

    def as_result(self, subject: str) -> dict[str, t.Any]:
        """What is returned of this failure: all that is known, and the sentence about it in ``msg``."""
        request_id = self.request_id or self.result.get("request_id")
        return {"changed": False, **self.result, "msg": self.sentence(subject), "request_id": request_id}

    def sentence(self, subject: str = "") -> str:
        """The whole sentence, about ``subject`` (such as ``Exchange connector ... in tenant ...``)."""
        about = f"{subject}: {self.what}" if subject else self.what
        return (f"{about}; {self.advice}" if self.advice else about).rstrip(". ") + "."


class OptionError(IntuneError):
    """An option cannot be right; raised before any network call."""


class MissingLibraryError(IntuneError):
    """Python libraries that this collection needs cannot be imported, by whatever Python that is.

    :param libraries: the names to install them by, all that are missing.
    """

    def __init__(self, libraries: t.Sequence[str]) -> None:
        super().__init__(
            f"Failed to import the required Python library ({', '.join(libraries)}) on {platform.node()}'s Python"
            f" {sys.executable}",
            advice="install "
            + " and ".join(f"{library} {LIBRARIES[library]} or later" for library in libraries)
            + " there",
        )
        self.libraries = tuple(libraries)


class SignInError(IntuneError):
    """Entra ID, or whoever else gives tokens, gave none.

    :param code: the number behind AADSTS by which Entra ID says why; "" for none.
    """

    def __init__(self, what: str, *, advice: str = "", request_id: str | None = None, code: str = "") -> None:
        super().__init__(what, advice=advice, request_id=request_id)
        self.code = code


class Unavailable(IntuneError):
    """No usable answer came, and another try at another time may well have one."""


class NoResponse(Unavailable):
    """A request got no answer.

    :param may_have_run: whether the server may have done what it was asked for.
    :param permanent: whether another try within minutes is pointless (a certificate that is not trusted).
    """

    def __init__(self, what: str, *, advice: str = "", may_have_run: bool, permanent: bool = False) -> None:
        super().__init__(what, advice=advice)
        self.may_have_run = may_have_run
        self.permanent = permanent


class Redirected(NoResponse):
    """The answer sends elsewhere, where nothing of ours goes."""


class GraphError(IntuneError):
    """Graph answered with an error.

    :param status: the HTTP status.
    :param code: Graph's own word for it, such as ``ResourceNotFound``; "" for none.
    """

    def __init__(
        self, what: str, *, status: int, code: str = "", advice: str = "", request_id: str | None = None
    ) -> None:
        super().__init__(what, advice=advice, request_id=request_id)
        self.status = status
        self.code = code

    @property
    def none_in_tenant(self) -> bool:
        """Whether this is what Graph answers, of one connector or of all, in a tenant that has none.

        Seen on v1.0 in July 2026; the list is not an empty one then. A tenant without Intune gets 400 instead ("Request
        not applicable to target tenant"), which stays a failure: where it is a licence that ran out, someone has to
        know.
        """
        return self.status == 501 and self.code.lower() == "notsupported"


def unexpected(error: Exception) -> IntuneError:
    """What to say of an error that nobody foresaw; those that were foreseen say it themselves.

    :returns: an error that leaves open what became of a request.
    """
    if isinstance(error, IntuneError):
        return error
    if isinstance(error, MemoryError):
        return NoResponse(
            "the memory that this process may use is used up",
            advice="give it more, or ask for fewer connectors at once",
            may_have_run=True,
            permanent=True,
        )
    words = untrusted.one_line(str(error))
    return NoResponse(
        f"an error inside graphops.intune, {type(error).__name__}" + (f": {words}" if words else ""),
        advice="please report this with the versions of ansible-core, msal and requests",
        may_have_run=True,
        permanent=True,
    )


def failed(error: IntuneError, about: str) -> dict[str, t.Any]:
    """The result of what failed.

    :param about: what the sentence begins with, unless the trouble came before that mattered.
    """
    if isinstance(error, (MissingLibraryError, OptionError)):
        return {"msg": error.sentence(), "changed": False}
    return error.as_result(about)
