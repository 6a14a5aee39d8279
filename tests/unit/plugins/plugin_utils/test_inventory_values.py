# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a value stays marked, so that Ansible takes it for no template, and what is plain text."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.graphops.intune.plugins.plugin_utils import inventory_values

try:
    # What ansible-inventory prints with from 2.19 on; and before.
    from ansible._internal._json._profiles._inventory_legacy import Encoder

    PRINTING: dict[str, t.Any] = {}
except ImportError:
    from ansible.parsing.ajson import AnsibleJSONEncoder as Encoder

    PRINTING = {"preprocess_unsafe": True}


@pytest.mark.parametrize(
    "text",
    [
        "{{ x }}",
        "{",
        "}",
        "100 %",
        "#jinja2: x",
        "# comment",
        "lookup('pipe', 'id')",
        "a | b",
        "f(x)",
        "a[0]",
        "a\nb",
        'say "x"',
        "O'Brien",
        "~x",
        "<x>",
        "\ufffd",
    ],
)
def test_what_could_be_a_template_or_a_call_stays_marked(text: str) -> None:
    for value in (inventory_values.unsafe({"a": [text]})["a"][0], inventory_values.unmarked([wrap_var(text)])[0]):
        assert value == text
        assert not trusted(value)


@pytest.mark.parametrize(
    "text", ["", "EX01", "2026-11-22T18:04:11.320597Z", "a@b.example", "Contoso, Ltd. & Co", "b\u00fcro"]
)
def test_other_texts_are_plain(text: str) -> None:
    for value in (inventory_values.unsafe((text,))[0], inventory_values.unmarked({"a": wrap_var(text)})["a"]):
        assert value == text
        assert trusted(value)


def trusted(value: t.Any) -> bool:
    """Whether ansible-inventory prints it without a mark, which is as ansible-core tells a template from data."""
    data = {"_meta": {"hostvars": {"host": {"variable": value}}}}
    printed = json.loads(json.dumps(data, cls=Encoder, **PRINTING))
    return isinstance(printed["_meta"]["hostvars"]["host"]["variable"], str)
