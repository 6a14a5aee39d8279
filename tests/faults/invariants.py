# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be true of every task, whatever happened to it; as sentences about those of which it is not."""

from __future__ import annotations

import base64
import html
import json
import re
import typing as t
from urllib.parse import unquote_plus

from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import Kind

# Names of the outcomes, as the report counts them.
SUCCEEDED, FAILED = "succeeded", "failed"
SHOWS_A_SECRET, SHOWS_A_TRACEBACK = "it shows a secret", "it ended in a traceback"
_LONGEST_SENTENCE = 2000


class Task(t.NamedTuple):
    """A task that has ended, and what the services know of it.

    :param kind: the kind of the objects.
    :param result: what the module returned.
    :param seconds: how long it took.
    :param budget: how long it may take.
    :param accepted: by object, how many synchronisations were accepted.
    :param lost: how many requests to synchronise got no answer that says what became of them.
    :param secrets: what must not be shown.
    :param others: the objects that had, or told of, a synchronisation that this task has not requested.
    """

    kind: Kind
    result: t.Mapping[str, t.Any]
    seconds: float
    budget: float
    accepted: t.Mapping[str, int]
    lost: int
    secrets: t.Collection[str]
    others: t.Collection[str] = ()

    @property
    def outcome(self) -> str:
        """How it ended."""
        return FAILED if "msg" in self.result else SUCCEEDED


def broken(task: Task) -> list[str]:
    """What of it is not as promised; nothing if all is well."""
    return [*_words(task), *_secrets(task), *_time(task), *_truth(task), *_posts(task)]


def _words(task: Task) -> t.Iterator[str]:
    text = json.dumps(task.result, default=str)
    if "Traceback" in text or "module_stdout" in task.result:
        yield SHOWS_A_TRACEBACK
    sentence = task.result.get("msg")
    if sentence is None:
        return
    if "an error inside graphops.intune" in sentence:
        yield "it failed where nobody expected it"
    if "\n" in sentence or not sentence.isprintable() or not sentence.endswith(".") or len(sentence) < 20:
        yield "its message is no sentence"
    if len(sentence) > _LONGEST_SENTENCE:
        yield f"its message has {len(sentence)} characters"


def _secrets(task: Task) -> t.Iterator[str]:
    readings = {reading for text in _texts(task.result) for reading in _readings(text)}
    if any(secret in reading for secret in task.secrets for reading in readings):
        yield SHOWS_A_SECRET


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, t.Mapping):
        value = [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple)):
        for entry in value:
            yield from _texts(entry)
    else:
        yield str(value)


def _readings(text: str) -> set[str]:
    """What whoever sees a text can make of it: others spell a secret as JSON, in an address, as XML or in base64."""
    found = {text}
    for _time in range(3):
        found |= {decode(reading) for reading in found for decode in (html.unescape, unquote_plus, _unescaped)}
    return found | {part for reading in found for run in _BASE64.findall(reading) for part in _decoded(run)}


_BASE64 = re.compile("[0-9A-Za-z+/_-]{16,}")


def _unescaped(text: str) -> str:
    return re.sub(r"\\\\*u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)


def _decoded(run: str) -> t.Iterator[str]:
    """What a run in base64 may mean, wherever its first group of four begins."""
    for start in range(4):
        part = run[start:].replace("-", "+").replace("_", "/")
        yield base64.b64decode(part[: len(part) // 4 * 4]).decode("latin-1")


def _time(task: Task) -> t.Iterator[str]:
    if task.seconds > task.budget:
        yield f"it took {task.seconds:.1f} s, more than {task.budget:.1f} s"


# All that may become of an object, as the modules document it.
_STATES = {"fresh", "joined", "requested", "completed", "predicted", "too_soon", "refused", "failed", "unknown"}


def _truth(task: Task) -> t.Iterator[str]:
    """What it says of each object, or of all of them in numbers, must be what the services know."""
    kind, changed = task.kind, task.result.get("changed")
    if "counts" in task.result:
        yield from _counts(task)
        return
    entries = {entry[kind.words.id_option]: entry for entry in task.result.get(kind.results_key, ())}
    if len(task.accepted) == 1 and not entries:
        entries = dict.fromkeys(task.accepted, task.result)
    for name, accepted in task.accepted.items():
        entry = entries.get(name)
        said = changed if entry is None else entry.get("changed")
        state = ((entry or {}).get("sync") or {}).get("state")
        if said not in (True, False):
            yield f"it says changed: {said}"
        elif accepted and not said:
            yield f"{accepted} were accepted, and it says that nothing changed (state {state})"
        elif said and not accepted and state != "unknown":
            yield f"none was accepted, and it says that something changed (state {state})"
        if state is not None:
            yield from _state(task, name, state, accepted)
    if entries and changed != any(entry.get("changed") for entry in entries.values()):
        yield "the whole says other than its parts"


def _counts(task: Task) -> t.Iterator[str]:
    """What it says of thousands: how many, and what became of some."""
    counts: t.Mapping[str, int] = task.result["counts"]
    found, due, predicted, requested, came_in, unknown = (
        counts[name] for name in ("found", "due", "predicted", "requested", "came_in", "unknown")
    )
    accepted = sum(map(bool, task.accepted.values()))
    if counts.keys() != _COUNTED or min(counts.values()) < 0:
        yield f"it counts {counts}"
    elif found != sum(counts.values()) - found - due - came_in:
        yield f"its counts do not add up: {counts}"
    if not predicted + requested + unknown + counts["not_asked"] <= due <= found - counts["fresh"] - counts["left_out"]:
        yield f"not as many were due as it says: {counts}"
    if requested > accepted:
        yield f"it says that {requested} were requested, and {accepted} were accepted"
    if came_in > requested:
        yield f"{came_in} came in, of which {requested} were requested"
    if accepted > requested + unknown:
        yield f"{accepted} were accepted, and it says that {requested} were requested, and knows not of {unknown}"
    if task.result["changed"] != bool(predicted + requested + unknown):
        yield "the whole says other than its parts"
    if unknown and not task.lost:
        yield "it does not know what all others know"
    failed = counts["failed"] + unknown + counts["not_asked"]
    if bool(failed) != ("msg" in task.result):
        yield f"{failed} failed, and the task did {'' if 'msg' in task.result else 'not '}fail"
    told = {entry[task.kind.words.id_option]: entry for entry in task.result[task.kind.results_key]}
    if sum(entry["failed"] for entry in told.values()) != failed or len(told) not in (failed, found):
        yield f"it tells of {len(told)}, of which {failed} failed"
    for name, entry in told.items():
        state, asked = entry["state"], task.accepted.get(name, 0)
        if state not in _STATES_OF_MANY:
            yield f"it says {state}, which means nothing"
        if entry["changed"] != (state in ("requested", "completed", "unknown")):
            yield f"it says changed: {entry['changed']} of one that is {state}"
        if asked and not entry["changed"]:
            yield f"{asked} were accepted, and it says that nothing changed (state {state})"
        if state in ("requested", "completed") and not asked:
            yield f"it says {state}, and none was accepted"


# What is counted of thousands, and what may become of one.
_COUNTED = frozenset(
    ("found", "fresh", "left_out", "due", "predicted", "requested", "came_in", "failed", "unknown", "not_asked")
)
_STATES_OF_MANY = _COUNTED - {"found", "due", "came_in"} | {"completed", "refused"}


def _state(task: Task, name: str, state: str, accepted: int) -> t.Iterator[str]:
    """What it says became of one object."""
    failed, other = "msg" in task.result, name in task.others
    if state not in _STATES:
        yield f"it says {state}, which means nothing"
    if state == "unknown" and not task.lost:
        yield "it does not know what all others know"
    if state == "unknown" and not failed:
        yield "it does not know, and does not fail"
    if state in ("completed", "requested") and not accepted:
        yield f"it says {state}, and none was accepted"
    if state == "joined" and not other:
        yield "it says joined, and no other was there to join"
    if state == "too_soon" and not (task.kind.action and task.kind.action.interval):
        yield "it says too_soon, and no time has to pass"
    if state in ("refused", "failed") and not failed:
        yield f"it says {state}, and does not fail"
    if state == "failed" and not accepted and not other:
        yield "it says failed, and none was there to fail"


def _posts(task: Task) -> t.Iterator[str]:
    for accepted in task.accepted.values():
        if accepted > 2:
            yield f"{accepted} were accepted"
        elif accepted == 2 and not task.lost:
            yield "two were accepted, although no answer was lost"
