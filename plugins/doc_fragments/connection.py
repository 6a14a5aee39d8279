# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say how requests are made."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options:
  ca_path:
    description:
      - A file, or a folder prepared by C(c_rehash), of certificate authorities in PEM to trust, for Graph and for the
        sign-in.
      - If not set, the values of E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE) are used, and without them the authorities
        that the Python library requests brings along.
    type: path
  validate_certs:
    description:
      - Whether to check the certificates of Graph and Entra ID. Whoever stands in between can read and change
        everything, the secret included, if this is V(false).
    type: bool
    default: true
  request_timeout:
    description:
      - How many seconds to wait for a connection, and for the answer to a request.
    type: int
    default: 30
  retry_timeout:
    description:
      - How many seconds all tries of one request may take together, with the waiting times in between. Requests are
        repeated if Graph or Entra ID has no time for them (HTTP 429, 503 and 504), and if the answer to a reading
        one was lost.
      - If the service asks to wait longer than that, the task fails at once and says how long.
      - V(0) never repeats a request.
    type: int
    default: 120
notes:
  - Proxies are taken from the environment, from E(HTTPS_PROXY) and E(NO_PROXY). Redirects are not followed.
"""
