# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the engine share: a clock of their own, and certificates."""

from __future__ import annotations

import ipaddress
import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

START = datetime(2026, 11, 22, 18, tzinfo=timezone.utc)


class FakeClock:
    """Time that passes only when someone sleeps, or a test says so; chance is always 0."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.slept: list[float] = []
        self.handed = Clock(
            monotonic=lambda: self.elapsed,
            sleep=self._sleep,
            now=lambda: START + timedelta(seconds=self.elapsed),
            jitter=lambda: 0.0,
        )

    def pass_by(self, seconds: float) -> None:
        self.elapsed += seconds

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_by(seconds)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class KeyPair(t.NamedTuple):
    """A certificate and its key."""

    key: t.Any
    certificate: x509.Certificate


def make_key_pair(name: str, key: t.Any = None, issuer: KeyPair | None = None, days: int = 1) -> KeyPair:
    """Make a certificate for a host (or whatever else ``name`` is), signed by itself unless there is an issuer.

    :param days: until when it is valid.
    """
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    host = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .sign(issuer.key if issuer else key, hashes.SHA256())
    )
    return KeyPair(key, certificate)


@pytest.fixture(scope="session")
def key_pair() -> t.Callable[..., KeyPair]:
    return make_key_pair
