# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text from elsewhere that is to mean nothing but itself."""

from __future__ import annotations

import jinja2
import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import untrusted


@pytest.mark.parametrize(
    "text", ["{{ 1 + 1 }}", "{{{ 1 }}}", "{%raw%}{{ 1 }}{%endraw%}", "{# nothing #}", "{{{{", "a{b}c", "{", "plain"]
)
def test_what_could_be_a_template_means_itself(text: str) -> None:
    parted = untrusted.no_template(text)
    assert jinja2.Environment(autoescape=True).from_string(parted).render() == parted
    assert parted.replace(" ", "") == text.replace(" ", "")
