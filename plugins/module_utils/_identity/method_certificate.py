# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Sign in with the certificate of an app: what its file holds, as msal takes it."""

from __future__ import annotations

import base64
import contextlib
import pathlib
import re
import typing as t
from datetime import datetime, timedelta, timezone

from .._ground import timestamps, untrusted
from .._ground.errors import APP, OptionError
from . import msal_app
from .method import Given, Inspection, Method, check_tenant_of_app, check_texts

if t.TYPE_CHECKING:
    from .identity import Identity

_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----\s*", re.DOTALL)
# PKCS #12's ways to encrypt by RC4 and RC2, which OpenSSL 3 has for those alone who load its legacy provider: RFC 7292,
# appendix C, pkcs-12PbeIds 1, 2, 5 and 6.
_OUTDATED_ENCRYPTION = re.compile(rb"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01[\x01\x02\x05\x06]")


def certificate(path: str, password: str, thumbprint: str, *, spare: t.Container[str] = ()) -> dict[str, t.Any]:
    """Read an app's certificate and its key for msal.

    :param path: a file in PEM, with the key and (unless ``thumbprint`` is given) the certificate, or in PKCS #12 (PFX),
        which may be in base64.
    :param password: the password of the key or the PFX; "" for none.
    :param thumbprint: the certificate's SHA-1 in hexadecimal, colons, spaces and the like allowed; "" to use SHA-256 of
        the certificate, which Microsoft recommends, if msal is 1.35 or newer.
    :param spare: those of the options that hold only if they fit: ``x509_certificate_password``, ``thumbprint``.
    :raises OptionError: the file cannot be read or does not fit.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    key, chain = _opened(path, _content(path), password, or_without="x509_certificate_password" in spare)
    if not isinstance(key, RSAPrivateKey):
        raise OptionError(
            f"x509_certificate_path {path!r} holds no RSA private key", advice="put key and certificate into it"
        )
    encoding, public = serialization.Encoding.PEM, _public(key.public_key())
    own = [cert for cert in chain if _public_of(cert) == public]
    leaf, wanted = _meant(path, own, thumbprint, or_without="thumbprint" in spare)
    result: dict[str, t.Any] = {
        "private_key": key.private_bytes(
            encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    }
    if leaf is not None:
        result["public_certificate"] = leaf.public_bytes(encoding).decode()
        if msal_app.needs_thumbprint():
            result["thumbprint"] = _sha1(leaf, "install msal 1.35 or later, which does without it")
    if wanted:
        result["thumbprint"] = wanted
    return result


def _content(path: str) -> bytes:
    try:
        return pathlib.Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise OptionError(
            f"x509_certificate_path {path!r} cannot be read: {getattr(error, 'strerror', None) or error}",
            advice="name a file that this user may read",
        ) from error


def _meant(path: str, own: t.Sequence[t.Any], thumbprint: str, *, or_without: bool) -> tuple[t.Any, str]:
    """The certificate that is meant, None if there is none, and the thumbprint to send, "" for none.

    :param own: the certificates of the key.
    :param or_without: whether the thumbprint may be meant for something else.
    """
    wanted = _digits(thumbprint)
    right = re.fullmatch(r"[0-9a-f]{40}", wanted)
    # SHA-1 identifies the certificate here, as Entra ID defines x5t; it secures nothing.
    meant = [cert for cert in own if right and _sha1(cert, "leave thumbprint out") == wanted]
    if or_without and not (meant or (right and not own)):
        wanted = ""
    if not own and not wanted:
        raise OptionError(
            f"x509_certificate_path {path!r} holds no certificate for its key",
            advice="put the certificate into it, or give thumbprint",
        )
    if wanted and (not right or (own and not meant)):
        raise OptionError(
            f"thumbprint is not the SHA-1 of the certificate in {path!r}",
            advice="leave thumbprint out" if own else "give 40 hexadecimal digits",
        )
    return next(iter([*meant, *own]), None), wanted


def _digits(thumbprint: str) -> str:
    # Copied from Windows, it may begin with a mark that nobody sees: dotnet/corefx#31463.
    return re.sub(r"[^0-9A-Za-z]", "", thumbprint).lower()


def _opened(path: str, content: bytes, password: str, *, or_without: bool) -> tuple[t.Any, list[t.Any]]:
    """The private key in a file, None if there is none, and its certificates.

    :param or_without: whether the password may be meant for something else.
    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import pkcs12

    secret = password.encode() or None
    der = b""
    try:
        if b"-----BEGIN" in content:
            blocks = [(match.group(1), match.group(0)) for match in _PEM_BLOCK.finditer(content)]
            sealed = [block for kind, block in blocks if kind.endswith(b"PRIVATE KEY")]
            chain = [x509.load_pem_x509_certificate(block) for kind, block in blocks if kind == b"CERTIFICATE"]
            return (_private_key(sealed[0], secret) if sealed else None), chain
        # AWX's credentials are texts, so a PFX gets through them in base64 only. DER begins with the tag SEQUENCE.
        der = content if content.startswith(b"\x30") else base64.b64decode(b"".join(content.split()), validate=True)
        key, leaf, _others = pkcs12.load_key_and_certificates(der, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if or_without and password:
            with contextlib.suppress(OptionError):
                return _opened(path, content, "", or_without=False)
        if _OUTDATED_ENCRYPTION.search(der) and not _reads_outdated_encryption():
            raise OptionError(
                f"x509_certificate_path {path!r} is encrypted by RC2 or RC4, as by older tools and Windows, which the"
                " OpenSSL of this host does not read",
                advice="encrypt it anew: openssl pkcs12 -legacy -in old.pfx -nodes -out both.pem, and openssl pkcs12"
                " -export -in both.pem -out new.pfx",
            ) from error
        raise OptionError(
            f"x509_certificate_path {path!r} cannot be opened",
            advice="check x509_certificate_password, and that the file is PEM or PFX",
        ) from error
    return key, [leaf] if leaf else []


def _reads_outdated_encryption() -> bool:
    """Whether OpenSSL's legacy provider is at hand here."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    try:
        from cryptography.hazmat.decrepit.ciphers.algorithms import RC2

        Cipher(RC2(bytes(16)), modes.CBC(bytes(8))).encryptor()
    except (ImportError, UnsupportedAlgorithm):
        return False
    return True


def _sha1(certificate_: t.Any, instead: str) -> str:
    """The certificate's SHA-1 in hexadecimal.

    :param instead: what to do where SHA-1 cannot be computed, as on a host in FIPS mode.
    """
    from cryptography.hazmat.primitives import hashes

    try:
        return t.cast(str, certificate_.fingerprint(hashes.SHA1()).hex())  # noqa: S303
    except Exception as error:
        # UnsupportedAlgorithm, ValueError or OpenSSL's own, by what forbids it.
        raise OptionError(
            "the certificate's thumbprint cannot be computed, because this host does not allow SHA-1", advice=instead
        ) from error


def _public(key: t.Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return t.cast(bytes, key.public_bytes(serialization.Encoding.PEM, form))


def _public_of(certificate_: t.Any) -> bytes | None:
    """The public key of a certificate; None if it is of a kind that cryptography does not know."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return _public(certificate_.public_key())
    except (ValueError, UnsupportedAlgorithm):
        return None


def _private_key(block: bytes, password: bytes | None) -> t.Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(block, password)
    except TypeError:
        if password is None:
            raise
        # A password for a key that has none: a credential form with a field left over.
        return load_pem_private_key(block, None)


def _check(given: Given) -> None:
    check_tenant_of_app(given)
    check_texts(given, "x509_certificate_password")


def _credential(identity: Identity, _hide: t.Callable[..., None]) -> dict[str, t.Any]:
    path, password, thumbprint = (
        identity.values[name] for name in ("x509_certificate_path", "x509_certificate_password", "thumbprint")
    )
    return certificate(path, password, thumbprint, spare=identity.spare)


def _inspect(inspection: Inspection) -> dict[str, t.Any]:
    identity = inspection.identity
    path, password, thumbprint = (
        identity.values[name] for name in ("x509_certificate_path", "x509_certificate_password", "thumbprint")
    )
    try:
        key, chain = _opened(path, _content(path), password, or_without="x509_certificate_password" in identity.spare)
        public = _public(key.public_key()) if key else b""
        # That of the key, or what lies in its place.
        ordered = sorted(chain, key=lambda cert: (_public_of(cert) != public, _sha1(cert, "") != _digits(thumbprint)))
        return {"certificate": _described(ordered[0], public, inspection.now)} if ordered else {}
    except (OptionError, ImportError):
        # The sign-in has said so.
        return {}


def _described(certificate_: t.Any, public: bytes, now: datetime) -> dict[str, t.Any]:
    """What may be shown of a certificate.

    :param public: the public part of the key beside it.
    """
    # Without a zone before cryptography 42, and deprecated since.
    begins, ends = (
        getattr(certificate_, f"{name}_utc", None) or getattr(certificate_, name).replace(tzinfo=timezone.utc)
        for name in ("not_valid_before", "not_valid_after")
    )
    return {
        "subject": untrusted.one_line(certificate_.subject.rfc4514_string()),
        "thumbprint": _sha1(certificate_, "").upper(),
        "not_before": timestamps.text(begins),
        "expires_at": timestamps.text(ends),
        "days_left": (ends - now) // timedelta(days=1),
        "key_fits": bool(public) and _public_of(certificate_) == public,
    }


METHOD = Method(
    "certificate",
    "with the app's certificate",
    msal_app.acquire_for_app,
    credentials=("x509_certificate_path",),
    needs=("tenant", "client_id"),
    belongings=("x509_certificate_password", "thumbprint"),
    asker=APP,
    check=_check,
    credential=_credential,
    inspect=_inspect,
)
