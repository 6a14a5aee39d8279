# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the page "What a message means" lists: every failure that the plugins can tell, with its cause and what to do.

Those of Entra ID and of Graph are those of the tables in the code, the others are read from the code that raises them.
"""

from __future__ import annotations

import ast
import re
import textwrap
import typing as t
from functools import cache
from pathlib import Path

from ansible_collections.graphops.intune.plugins.module_utils._graph import graph_errors
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import APP, SOMEONE, USER
from ansible_collections.graphops.intune.plugins.module_utils._ground.words import Words
from ansible_collections.graphops.intune.plugins.module_utils._http import retries
from ansible_collections.graphops.intune.plugins.module_utils._identity.aadsts import ADVICE

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"

# Where the causes of Entra's codes change, by the first code of each part, and what the part is called.
PARTS = {
    "7000215": "The app's own proof",
    "70021": "Federated tokens",
    "700016": "The app in the tenant",
    "90002": "The tenant, and its cloud",
    "53003": "Conditional Access and other policies",
    "50034": "The user",
    "20001": "The user's federation server",
    "70000": "Refresh tokens",
}
# What a code means, where the advice does not say it; of codes with the same advice, the first one's is told.
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
CAUSES = {
    "7000215": "the secret is wrong",
    "7000218": "the app has to prove itself, and nothing was sent that does",
    "700025": "the app is a public client, which proves nothing, and a secret was sent",
    "700027": "the certificate is not one of the app registration",
    "700030": "the certificate's subject is not one that the app registration allows",
    "50012": "the proof is not accepted",
    "50013": "the token or certificate that was sent as a proof is not accepted",
    "50027": "the token that was sent as a proof is no valid one",
    "50048": "the subject of the token does not fit its issuer",
    "700024": "the proof is not valid at Entra ID's time",
    "500133": "the proof has expired",
    "70021": "no federated credential of the app fits the token",
    "70025": "the app has no federated credential",
    "700211": "no federated credential of the app has the token's issuer",
    "700212": "no federated credential of the app has the token's audience",
    "700213": "no federated credential of the app has the token's subject",
    "7002131": "no federated credential of the app fits the token's subject, nor does an expression",
    "7002137": "the subject is one that Entra ID gives to service connections, and fits no credential",
    "7002138": "the subject fits but for capital letters",
    "70023": "the token lives for too long",
    "700229": "the token is a user's",
    "7002381": "the tenant's policy asks for a claim that GitHub's token lacks",
    "50166": "Entra ID could not read the keys of the token's issuer",
    "50105": "whoever signs in is not assigned to the app",
    "501051": "the app is not assigned to Microsoft Graph",
    "65001": "the administrator of the tenant has not consented to the permission",
    "90099": "the app is not authorised in the customer's tenant",
    "650054": "the app registration names a permission that is gone",
    "90002": "there is no such tenant",
    "90013": "Entra ID could not make sense of the request",
    "50059": "nothing says which tenant is meant",
    "9001023": "the app signs in to one tenant, and ``common`` or ``organizations`` is none",
    "50049": "Entra ID does not know this address of itself",
    "500212": "the policy of one of two tenants keeps the user out",
    "50126": "user name or password is wrong",
    "80013": "clocks of the tenant's own servers differ too much",
    "80001": "the tenant's own servers, which know the password, do not answer as they should",
    "20001": "the federation server of the user's domain does not answer as it should",
    "70000": "the refresh token is no longer valid",
    "70011": "the token is asked for a host that is no Graph",
    "70052": "the app is for many tenants, and the token is one of Entra ID's own",
    "100007": "the environment names a region",
    "700222": "the token is one of Entra ID's own, which are not accepted for this app",
    "900021": "the name of the tenant is no GUID, and no domain of one",
    "90126": "the user name says nothing of a tenant",
    "9002313": "the request cannot be read, most often because a credential was cut",
}
# Below plugins, where what Graph sent is read, and where options are.
LOOKS = ("module_utils/_sync/look.py", "module_utils/_sync/customers.py")
OPTIONS = (
    "module_utils/_ground/errors.py",
    "module_utils/_ground/given_options.py",
    "module_utils/_ground/option_values.py",
    "module_utils/_sync/options.py",
    "module_utils/_sync/fleet.py",
    "module_utils/_sync/watch.py",
    "module_utils/_report",
    "inventory",
    "plugin_utils",
)
# What a sentence of our own means, where it does not say it, by words of it.
MEANINGS = {
    "did not show within": "the end was not seen in time; large organisations take long, a VPP token may hang for days",
    "whether it ended cannot be seen": "it was requested, and then Graph could not be read",
    "failed: ... is ...": "Intune tried, and Apple, Google or Intune itself refused",
    "no synchronisation was requested": "none can help until somebody acts",
    "which is longer to wait than": "with force, the task waits for Intune's least interval, which ends too late",
    "so none was asked": "more devices are old enough than the option allows",
    "whether Graph accepted": "the answers were lost, and the object shows nothing yet; the next run finds out",
    "could be read": "of all that the task looks at, each failed, and the sentence names each reason once",
    "accepted no connection": "a firewall drops what is sent, or the way is by a proxy that is not named",
    "could not be reached": "nothing listens at the address, or there is no way to it",
    "did not answer within": "the connection stands, and the answer takes too long",
    "cut the connection": "something in between has ended it, or the service restarted",
    "cannot be resolved": "the name is misspelt, or DNS does not know names outside",
    "did not let the request through": "the proxy has no leave for this host, or wants a password",
    "is not trusted": "a proxy of the company signs the traffic anew, or the clock is wrong",
    "redirects to": "a portal wants a sign-in, or the address is not Graph's",
    "with no JSON object": "a portal or a gateway answered with a page",
    "link to the next page": "something in between has changed what Graph said",
    "'s pages have no end": "Graph repeats its pages, which an update at Microsoft may cause",
    "no identity to sign in with": "neither options nor variables have anything to sign in with, or all of it is empty",
    "the identity is incomplete": "what belongs together is there in part",
    "no host of Microsoft's": "the credential comes from elsewhere than the address, and is not sent there",
    "Failed to import": "the Python that runs the task has not got the library; often it is another Python than pip's",
}
_WAYS = {
    APP: "as an app",
    USER: "as a user",
    "certificate": "with a certificate",
    "oidc": "with a federated token",
    "password": "with a password",
}
_IMPERATIVE = re.compile(
    r"(?:check|set|give|take|make|sign|use|leave|have|see|update|run|wait|upload|add|grant|assign)\b"
)


class Message(t.NamedTuple):
    """A failure.

    :param title: what of its sentence stays the same, such as a number; the page has anchors by it.
    :param cause: what it means, in words; "" where the title says it.
    :param advice: what to do, several where that depends; with none, the cause says it.
    """

    title: str
    cause: str
    advice: tuple[str, ...]


def entra() -> dict[str, list[Message]]:
    """Entra's codes, those with the same advice together, by the parts of the table."""
    groups: dict[t.Any, list[str]] = {}
    for code, advice in ADVICE.items():
        groups.setdefault(advice if isinstance(advice, str) else tuple(advice.items()), []).append(code)
    parts: dict[str, list[Message]] = {}
    part = ""
    for advice, codes in groups.items():
        part = next((PARTS[code] for code in codes if code in PARTS), part)
        by_way = {"": advice} if isinstance(advice, str) else {_WAYS.get(w, "otherwise"): text for w, text in advice}
        cause = next((CAUSES[code] for code in codes if code in CAUSES), "")
        told = []
        for way, text in by_way.items():
            why, todo = _halves(text)
            cause = cause or why
            # What has another cause than the one that is told keeps its own.
            todo = todo if cause == why or not why else f"{todo} ({why})"
            told.append(f"{way}, {todo}" if way else todo)
        title = ", ".join(f"_`AADSTS{code}`" for code in codes)
        parts.setdefault(part, []).append(Message(title, cause, tuple(told)))
    return parts


def _halves(advice: str) -> tuple[str, str]:
    """A cause and what to do, of a text that may have both."""
    advice = re.sub(r"\{permission\}", "the permission", advice)
    first, _colon, second = re.sub(r"\{\w+\}", "...", advice).partition(": ")
    if not second:
        return "", first
    return (second, first) if _IMPERATIVE.match(first) else (first, second)


# Statuses of Graph, what each means, and an answer; with "" for any.
_GRAPH = (
    (400, "HTTP 400", "Graph takes the request for wrong", ""),
    (400, "not applicable to target tenant", "the tenant has no licence for Intune", "not applicable to target tenant"),
    (401, "HTTP 401", "the token is not accepted", ""),
    (403, "HTTP 403", "whoever signed in may not do it; Intune may say so by HTTP 401, too", ""),
    (404, "HTTP 404", "there is no such object", ""),
    (404, "not found for the segment", "this address is not known there", "Resource not found for the segment 'x'"),
    (501, "HTTP 501", "the tenant never had one", "NotSupported"),
    (500, "HTTP 500 and other 5xx", "Microsoft has trouble, for longer than retry_timeout", ""),
)


def graph() -> t.Iterator[Message]:
    """What Graph answers."""
    words = Words("OBJECT", "OBJECTS", "object", id_option="id")
    for status, title, cause, said in _GRAPH:
        name = "code" if said == "NotSupported" else "message"
        body = f'{{"error": {{"{name}": "{said}"}}}}'.encode()
        told = {
            who: graph_errors.graph_error(
                "", status, body, None, words=words, asker=graph_errors.Asker(who, "the permission that it names,")
            ).advice
            for who in (APP, USER, SOMEONE)
        }
        same = len({*told.values()}) == 1
        advice = told.values() if not same else [told[APP]]
        ways = ["" if same else f"{_WAYS.get(who, 'with a ready token of either')}, " for who in told]
        anchor = re.sub(r"^(HTTP \d+|[a-z ]+)", r"_`\1`", title)
        yield Message(anchor, cause, tuple(way + text for way, text in zip(ways, advice)))
    busy = errors.Unavailable("")
    later = {retries.exhausted(busy, tries=1, retry_after=wait, limit=1).advice: None for wait in (None, 1)}
    cause = "other software uses up Microsoft's limits, or Microsoft has trouble, for longer than retry_timeout"
    yield Message("_`HTTP 429`, _`HTTP 503`, _`HTTP 504`", cause, tuple(later))


def outcomes(kinds: t.Iterable[t.Any]) -> t.Iterator[Message]:
    """What may become of a synchronisation.

    :param kinds: all that there are; the registry may be stale.
    """
    remedies = tuple(f"{kind.words.one}: {kind.remedy}" for kind in kinds if kind.action)
    for one in own("module_utils/_sync/results.py", "module_utils/_sync/bulk.py", "module_utils/_sync/overview.py"):
        # The reason and the advice are those of the kind.
        yield one._replace(advice=remedies) if "was requested" in one.title else one


def own(*folders: str) -> list[Message]:
    """What the plugins tell themselves, by the code that raises it.

    :param folders: below ``plugins``, or files there.
    """
    found: dict[str, list[str]] = {}
    for folder in folders:
        path = PLUGINS / folder
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for whats, advices in _Reader(ast.parse(file.read_text(encoding="utf-8"))).failures():
                for what in whats:
                    found.setdefault(what, []).extend(one for one in advices if one not in found.get(what, []))
    return [
        Message(
            f"_`{_escaped(what)}`",
            next((meaning for words, meaning in MEANINGS.items() if words in what), ""),
            tuple(found[what]),
        )
        for what in sorted(found, key=_sorted)
    ]


def _sorted(what: str) -> str:
    return re.sub(r"^\W+", "", what).lower()


def _escaped(text: str) -> str:
    return re.sub(r"([*`|\\]|_(?=\W|$))", r"\\\1", text)


def rst(messages: t.Iterable[Message], seen: set[str]) -> str:
    """A list of failures in reStructuredText.

    :param seen: the titles that the page has an anchor for; those of ``messages`` are added.
    """
    lay_out = textwrap.TextWrapper(120, break_on_hyphens=False, break_long_words=False)
    lines: list[str] = []
    for one in messages:
        title = one.title.removeprefix("_").strip("`") if one.title in seen else one.title
        seen.add(one.title)
        told = [_sentence(text) for text in one.advice] or ["What follows in the sentence says what to do."]
        first = f"{_sentence(one.cause)} **What to do:** {told[0]}" if one.cause else told[0]
        if len(told) == 1:
            paragraphs = [first]
        else:
            paragraphs = [f"{_sentence(one.cause)} **What to do:**" if one.cause else "One of these:"]
            paragraphs += [f"- {text}" for text in told]
        lay_out.initial_indent = "  "
        lines.append(title)
        for number, paragraph in enumerate(paragraphs):
            bullet = number and paragraph.startswith("- ")
            lay_out.subsequent_indent = "    " if bullet else "  "
            lines += [""] if number == 1 else []
            lines.append(lay_out.fill(paragraph))
        lines.append("")
    return "\n".join(lines)


def _sentence(text: str) -> str:
    """A clause as a sentence, with what is typed in it marked."""
    marked = re.sub(r"https?://[\w:]+|\{%.*?%\}|\b\w+_\w+\b", r"``\g<0>``", text.rstrip("."))
    return f"{marked[:1].upper()}{marked[1:]}." if marked else ""


# What is put into a sentence and tells the reader more than that something is.
_SHOWN = (
    "host",
    "path",
    "option",
    "name",
    "tenant",
    "value",
    "status",
    "action",
    "variable",
    "id_option",
    "ids_option",
)
_FEWEST_WORDS = 2


@cache
def _constants() -> dict[str, list[str]]:
    """Texts that a file has by a name in capitals."""
    found: dict[str, list[str]] = {}
    for file in sorted((PLUGINS / "module_utils").rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            value = node.value if isinstance(node, ast.Assign) else None
            if isinstance(node, ast.Assign) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                found.setdefault(ast.unparse(node.targets[0]), []).append(value.value)
    return found


class _Reader:
    """Reads what a file can tell."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._scopes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]

    def failures(self) -> t.Iterator[tuple[list[str], list[str]]]:
        """Yield what happened and what to do, of each error that is made: all texts that may stand there."""
        for scope in self._scopes:
            for node in ast.walk(scope):
                if not (isinstance(node, ast.Call) and node.args):
                    continue
                advice = next((keyword.value for keyword in node.keywords if keyword.arg == "advice"), None)
                if advice is None and not ast.unparse(node.func).endswith(("OptionError", "NoResponse")):
                    continue
                whats = [text for text in self._texts(node.args[0], scope) if _words(text) >= _FEWEST_WORDS]
                yield whats, [] if advice is None else self._texts(advice, scope)

    def _texts(self, node: ast.expr, scope: ast.FunctionDef, depth: int = 0) -> list[str]:
        if depth > 3:
            return []
        if isinstance(node, ast.Constant):
            return [node.value] if isinstance(node.value, str) and node.value else []
        if isinstance(node, ast.JoinedStr):
            return ["".join(self._part(part) for part in node.values)]
        if isinstance(node, ast.IfExp):
            return [*self._texts(node.body, scope, depth), *self._texts(node.orelse, scope, depth)]
        if isinstance(node, ast.BoolOp):
            return [text for value in node.values for text in self._texts(value, scope, depth)]
        if isinstance(node, ast.BinOp):
            sides = [self._texts(side, scope, depth) or ["..."] for side in (node.left, node.right)]
            return [left + right for left in sides[0] for right in sides[1]]
        if isinstance(node, ast.Attribute):
            return _constants().get(node.attr, [])
        if isinstance(node, ast.Name):
            return self._assigned(node.id, scope, depth)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            table = next(
                (
                    one.value
                    for one in self._tree.body
                    if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == ast.unparse(node.func.value)
                ),
                None,
            )
            inside = [
                one.value
                for one in (ast.walk(table) if table else ())
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            return [*inside, *self._texts(node.args[-1], scope, depth)]
        return []

    def _assigned(self, name: str, scope: ast.FunctionDef, depth: int) -> list[str]:
        found: list[str] = []
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign):
                targets, value = node.targets[0], node.value
                pairs = [(targets, value)]
                if isinstance(targets, ast.Tuple) and isinstance(value, ast.Tuple):
                    pairs = list(zip(targets.elts, value.elts))
                for target, given in pairs:
                    if isinstance(target, ast.Name) and target.id == name:
                        found += self._texts(given, scope, depth + 1)
        return found or _constants().get(name, [])

    def _part(self, part: ast.expr) -> str:
        if isinstance(part, ast.Constant):
            return str(part.value)
        value = part.value if isinstance(part, ast.FormattedValue) else part
        if isinstance(value, ast.IfExp) and isinstance(value.body, ast.Constant):
            return str(value.body.value)
        words = re.findall(r"\w+", ast.unparse(value))
        last = words[-1] if words else ""
        if words[:1] == ["is_or_are"]:
            return "is"
        if last == "called":
            return "address"
        if last == "noun":
            return "synchronisation"
        if last in ("short", "one", "thing"):
            return "OBJECT"
        if last in ("many", "short_many"):
            return "OBJECTS"
        constant = _constants().get(last, [])
        return constant[0] if constant else last.removeprefix("_").upper() if last in _SHOWN else "..."


def _words(text: str) -> int:
    """How many words of a text stay the same."""
    return len(re.findall(r"\b[a-z][a-z']+\b", text))
