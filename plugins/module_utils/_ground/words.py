# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What a kind of object is called in sentences, on every floor."""

from __future__ import annotations

import typing as t


class Words(t.NamedTuple):
    """The nouns of a kind of object.

    :param one: it in full, such as ``Exchange connector``.
    :param many: several of it, such as ``Exchange connectors``.
    :param short: what it is called where it is clear which is meant, such as ``connector``.
    :param id_option: the option that chooses one, such as ``connector_id``; "" where a tenant has one at most.
    :param find_id: where its id is found, to follow "take the id from".
    :param instead: what to know of a tenant that has none, a clause; "" for nothing.
    """

    one: str
    many: str
    short: str
    id_option: str = ""
    find_id: str = ""
    instead: str = ""

    @property
    def short_many(self) -> str:
        """Several of it, where it is clear which is meant, such as ``connectors``."""
        return f"{self.short}s"

    @property
    def none_in_tenant(self) -> str:
        """That a tenant has none of it, as a clause."""
        return f"this tenant has no {self.one}"

    @property
    def ids_option(self) -> str:
        """The option that chooses many, such as ``connector_ids``."""
        return f"{self.id_option}s"

    @property
    def to_check(self) -> str:
        """The options to look at when Graph does not know it."""
        return f"{self.id_option} and tenant" if self.id_option else "tenant"

    def subject(self, name: str, tenant: str) -> str:
        """What a sentence begins with: the thing or all of its kind, and the tenant if it is named.

        :param name: its id; "" for all, or for the only one.
        """
        thing = f"{self.one} {name}" if name else self.many if self.id_option else self.one
        return thing + (f" in tenant {tenant}" if tenant else "")
