# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx's settings for `make docs`. Every warning is a failure."""

from __future__ import annotations

import zlib
from pathlib import Path

from ansible.constants import config

project = "graphops.intune"
html_title = "graphops.intune"
copyright = "2026, graphops.intune contributors"  # noqa: A001
extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
default_role = "any"
highlight_language = "YAML+Jinja"
pygments_style = "ansible"
html_theme = "sphinx_ansible_theme"
html_theme_options = {"documentation_home_url": "https://github.com/graphops/graphops.intune"}
html_static_path = ["static"]
html_css_files = ["narrow.css"]
html_show_sphinx = False
html_use_index = False
html_copy_source = False

ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
# What our pages refer to over there: its own inventory would have to be downloaded, and would change under us.
LABELS = """
action_plugins std:label -1 plugins/action.html#action-plugins Action plugins
ansible_collections.ansible.builtin.linear_strategy std:label -1 collections/ansible/builtin/linear_strategy.html linear
ansible_configuration_settings std:label -1 reference_appendices/config.html Ansible configuration settings
common_return_values std:label -1 reference_appendices/common_return_values.html Return values
"""
VARIABLES = "".join(
    f"{variable['name']} std:envvar 1 reference_appendices/config.html#envvar-$ -\n"
    for setting in config.get_configuration_definitions().values()
    for variable in setting.get("env", [])
)
INVENTORY = Path(__file__).resolve().parents[2] / ".build" / "docs" / "ansible.inv"
HEADER = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: latest\n# The rest is compressed using zlib.\n"
INVENTORY.write_bytes(HEADER.encode() + zlib.compress((LABELS.lstrip() + VARIABLES).encode()))
intersphinx_mapping = {"ansible": (ANSIBLE, str(INVENTORY))}
