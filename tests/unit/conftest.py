# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for all unit tests."""

from __future__ import annotations

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import secrecy
from hypothesis import settings

# How long an example takes says more about what else the machine does; and a change fails for what it broke, not for
# examples that nobody has seen before.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests() -> None:
    """What a test hides is hidden for the whole process, in which other tests have other texts."""
    secrecy._of_process.end()  # noqa: SLF001
