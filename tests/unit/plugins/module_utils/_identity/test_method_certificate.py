# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate of an app: its file in every form, and what is signed with it."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError
from ansible_collections.graphops.intune.plugins.module_utils._identity import method_certificate, msal_app
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

TENANT = {"tenant": "contoso.example", "client_id": "app"}


class Files(t.NamedTuple):
    """A key pair of an app, another one, the issuer's, and the folder for files."""

    own: t.Any
    other: t.Any
    issuer: t.Any
    folder: Path

    def write(self, *parts: bytes) -> str:
        path = self.folder / "certificate"
        path.write_bytes(b"".join(parts))
        return str(path)


@pytest.fixture(scope="module")
def pairs(key_pair: t.Any) -> tuple[t.Any, ...]:
    issuer = key_pair("authority")
    return key_pair("app", issuer=issuer), key_pair("other"), issuer


@pytest.fixture
def files(pairs: tuple[t.Any, ...], tmp_path: Path) -> Files:
    return Files(*pairs, tmp_path)


def test_a_certificate_has_what_fits_of_the_environment(choose: t.Any) -> None:
    environ = {"AZURE_X509_CERTIFICATE_PASSWORD": "p", "AZURE_THUMBPRINT": "t", "AZURE_X509_CERTIFICATE_PATH": "/a"}

    def belongings(**options: str) -> tuple[t.Any, ...]:
        who = choose({**TENANT, **options}, environ)
        names = ("x509_certificate_path", "x509_certificate_password", "thumbprint")
        return (*(who.values[name] for name in names), sorted(who.spare))

    assert belongings() == ("/a", "p", "t", [])
    assert belongings(x509_certificate_path="/b") == ("/b", "p", "t", ["thumbprint", "x509_certificate_password"])
    assert belongings(x509_certificate_path="/b", thumbprint="own") == ("/b", "p", "own", ["x509_certificate_password"])


def key_pem(pair: t.Any, password: bytes = b"", form: str = "PKCS8") -> bytes:
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    written: bytes = pair.key.private_bytes(
        serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), lock
    )
    return written


def cert_pem(pair: t.Any) -> bytes:
    written: bytes = pair.certificate.public_bytes(serialization.Encoding.PEM)
    return written


def pfx(pair: t.Any, password: bytes, *others: t.Any) -> bytes:
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return pkcs12.serialize_key_and_certificates(
        b"app", pair.key, pair.certificate, [other.certificate for other in others], lock
    )


def sha1(pair: t.Any) -> str:
    digest: bytes = pair.certificate.fingerprint(hashes.SHA1())  # noqa: S303 - what Entra ID calls the thumbprint
    return digest.hex()


FORMS: dict[str, t.Callable[[Files], tuple[list[bytes], str]]] = {
    "key, certificate": lambda f: ([key_pem(f.own), cert_pem(f.own)], ""),
    "certificate, key": lambda f: ([cert_pem(f.own), key_pem(f.own)], ""),
    "PKCS #1 key": lambda f: ([key_pem(f.own, form="TraditionalOpenSSL"), cert_pem(f.own)], ""),
    "encrypted key": lambda f: ([key_pem(f.own, b"pw"), cert_pem(f.own)], "pw"),
    "encrypted PKCS #1 key": lambda f: ([key_pem(f.own, b"pw", "TraditionalOpenSSL"), cert_pem(f.own)], "pw"),
    "a password too many": lambda f: ([key_pem(f.own), cert_pem(f.own)], "pw"),
    "chain": lambda f: ([key_pem(f.own), cert_pem(f.own), cert_pem(f.issuer)], ""),
    "chain, reversed": lambda f: ([cert_pem(f.issuer), cert_pem(f.own), key_pem(f.own)], ""),
    "text between": lambda f: ([b"Bag Attributes\r\n", key_pem(f.own), b"subject=CN = app\n", cert_pem(f.own)], ""),
    "CRLF": lambda f: ([key_pem(f.own).replace(b"\n", b"\r\n"), cert_pem(f.own).replace(b"\n", b"\r\n")], ""),
    "PFX": lambda f: ([pfx(f.own, b"pw")], "pw"),
    "PFX with the chain": lambda f: ([pfx(f.own, b"pw", f.issuer)], "pw"),
    "PFX without password": lambda f: ([pfx(f.own, b"")], ""),
    "PFX in base64": lambda f: ([base64.encodebytes(pfx(f.own, b"pw"))], "pw"),
    "PFX in base64 on one line": lambda f: ([base64.b64encode(pfx(f.own, b"pw"))], "pw"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_certificate_in_every_form(files: Files, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msal_app.msal, "__version__", "1.35.0")
    parts, password = FORMS[form](files)
    credential = method_certificate.certificate(files.write(*parts), password, "")
    assert credential == {
        "private_key": key_pem(files.own).decode(),
        "public_certificate": cert_pem(files.own).decode(),
    }


def spelt(thumbprint: str) -> str:
    return ":".join(thumbprint[i : i + 2] for i in range(0, 40, 2)).upper() + " "


def test_a_thumbprint_in_any_spelling(files: Files) -> None:
    path = files.write(key_pem(files.own), cert_pem(files.own))
    for thumbprint in (spelt(sha1(files.own)), f"\u200e{sha1(files.own)}", f"\ufeff{sha1(files.own)}\u200b"):
        assert method_certificate.certificate(path, "", thumbprint)["thumbprint"] == sha1(files.own)


def test_a_key_alone_with_its_thumbprint(files: Files) -> None:
    credential = method_certificate.certificate(files.write(key_pem(files.own)), "", sha1(files.own))
    assert credential == {"private_key": key_pem(files.own).decode(), "thumbprint": sha1(files.own)}


def test_the_thumbprint_chooses_among_certificates_of_one_key(files: Files, key_pair: t.Any) -> None:
    renewed = key_pair("app", key=files.own.key)
    path = files.write(key_pem(files.own), cert_pem(files.own), cert_pem(renewed))
    credential = method_certificate.certificate(path, "", sha1(renewed))
    assert credential["thumbprint"] == sha1(renewed)
    assert credential["public_certificate"] == cert_pem(renewed).decode()


class EcPair(t.NamedTuple):
    key: t.Any


CANNOT_BE_OPENED = "cannot be opened; check x509_certificate_password, and that the file is PEM or PFX."
NO_KEY = "holds no RSA private key; put key and certificate into it."
UNUSABLE: dict[str, tuple[t.Callable[[Files], list[bytes]], str, str]] = {
    "wrong password": (lambda f: [key_pem(f.own, b"pw"), cert_pem(f.own)], "wrong", CANNOT_BE_OPENED),
    "no password": (lambda f: [key_pem(f.own, b"pw"), cert_pem(f.own)], "", CANNOT_BE_OPENED),
    "PFX, wrong password": (lambda f: [pfx(f.own, b"pw")], "wrong", CANNOT_BE_OPENED),
    "PFX, no password": (lambda f: [pfx(f.own, b"pw")], "", CANNOT_BE_OPENED),
    "empty": (lambda _: [], "", CANNOT_BE_OPENED),
    "garbage": (lambda _: [b"garbage\xff\x00"], "", CANNOT_BE_OPENED),
    "garbage in PEM": (
        lambda _: [b"-----BEGIN PRIVATE KEY-----\n####\n-----END PRIVATE KEY-----\n"],
        "",
        CANNOT_BE_OPENED,
    ),
    "garbage as certificate": (
        lambda f: [key_pem(f.own), b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
        "",
        CANNOT_BE_OPENED,
    ),
    "no key": (lambda f: [cert_pem(f.own)], "", NO_KEY),
    "half a key": (lambda f: [key_pem(f.own)[:200], cert_pem(f.own)], "", NO_KEY),
    "EC key": (lambda _: [key_pem(EcPair(ec.generate_private_key(ec.SECP256R1())))], "", NO_KEY),
    "no certificate": (
        lambda f: [key_pem(f.own)],
        "",
        "holds no certificate for its key; put the certificate into it, or give thumbprint.",
    ),
    "certificate of another key": (
        lambda f: [key_pem(f.own), cert_pem(f.other)],
        "",
        "holds no certificate for its key; put the certificate into it, or give thumbprint.",
    ),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_file_that_is_no_use(files: Files, kind: str) -> None:
    parts, password, clause = UNUSABLE[kind]
    path = files.write(*parts(files))
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, password, "")
    assert caught.value.sentence() == f"x509_certificate_path {path!r} {clause}"


@pytest.mark.parametrize(("name", "reason"), [("missing", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, reason: str) -> None:
    path = str(tmp_path / name)
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "", "")
    assert caught.value.sentence() == (
        f"x509_certificate_path {path!r} cannot be read: {reason}; name a file that this user may read."
    )


@pytest.mark.parametrize("with_certificate", [True, False])
@pytest.mark.parametrize("thumbprint", ["of another", "xyz", "ab", "g" * 40])
def test_a_wrong_thumbprint(files: Files, thumbprint: str, with_certificate: bool) -> None:
    if thumbprint == "of another":
        thumbprint = sha1(files.other) if with_certificate else sha1(files.other)[:-1]
    path = files.write(key_pem(files.own), cert_pem(files.own) if with_certificate else b"")
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "", thumbprint)
    advice = "leave thumbprint out" if with_certificate else "give 40 hexadecimal digits"
    assert caught.value.sentence() == f"thumbprint is not the SHA-1 of the certificate in {path!r}; {advice}."


SPARE = ("x509_certificate_password", "thumbprint")


@pytest.mark.parametrize("form", ["encrypted key", "PFX", "PFX without password", "key, certificate"])
@pytest.mark.parametrize("thumbprint", ["", "own", "of another", "no thumbprint"])
def test_a_password_or_thumbprint_that_is_another_files_does_no_harm(files: Files, form: str, thumbprint: str) -> None:
    parts, password = FORMS[form](files)
    given = {"own": sha1(files.own), "of another": sha1(files.other)}.get(thumbprint, thumbprint)
    credential = method_certificate.certificate(files.write(*parts), password or "of another file", given, spare=SPARE)
    assert ("thumbprint" in credential) == (thumbprint == "own" or msal_app.needs_thumbprint())


def test_a_key_alone_takes_the_thumbprint_of_the_environment(files: Files) -> None:
    path = files.write(key_pem(files.own))
    assert method_certificate.certificate(path, "", sha1(files.own), spare=SPARE)["thumbprint"] == sha1(files.own)
    with pytest.raises(OptionError, match="holds no certificate for its key"):
        method_certificate.certificate(path, "", "no thumbprint", spare=SPARE)


def test_a_wrong_password_stays_wrong_whoever_gave_it(files: Files) -> None:
    path = files.write(pfx(files.own, b"pw"))
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "wrong", "", spare=SPARE)
    assert caught.value.sentence() == f"x509_certificate_path {path!r} {CANNOT_BE_OPENED}"


@pytest.mark.parametrize("readable", [False, True])
def test_an_outdated_encryption_is_no_wrong_password(
    files: Files, monkeypatch: pytest.MonkeyPatch, readable: bool
) -> None:
    monkeypatch.setattr(method_certificate, "_reads_outdated_encryption", lambda: readable)
    path = files.write(b"\x30\x82" + bytes.fromhex("060a2a864886f70d010c0106"))
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "right", "")
    assert ("check x509_certificate_password" in caught.value.sentence()) == readable
    assert ("encrypt it anew: openssl pkcs12 -legacy" in caught.value.sentence()) != readable


def test_sha1_is_computed_only_where_it_is_asked_for(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host in FIPS mode may not compute it."""

    def forbidden(*_args: t.Any) -> t.NoReturn:
        raise ValueError("[digital envelope routines] unsupported")

    monkeypatch.setattr(hashes, "SHA1", forbidden)
    path = files.write(key_pem(files.own), cert_pem(files.own))
    monkeypatch.setattr(msal_app.msal, "__version__", "1.35.0")
    assert set(method_certificate.certificate(path, "", "")) == {"private_key", "public_certificate"}
    said = "the certificate's thumbprint cannot be computed, because this host does not allow SHA-1; "
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "", "a" * 40)
    assert caught.value.sentence() == said + "leave thumbprint out."
    monkeypatch.setattr(msal_app.msal, "__version__", "1.34.0")
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "", "")
    assert caught.value.sentence() == said + "install msal 1.35 or later, which does without it."


def test_what_a_certificate_signs_is_a_secret(wire: t.Any, files: Files, sign_in: t.Any) -> None:
    who = sign_in(wire, {**TENANT, "x509_certificate_path": files.write(key_pem(files.own), cert_pem(files.own))})
    who.token()
    assert _text(wire.sent("token")[0].data["client_assertion"]) in who.tokens


def assertion(wire: t.Any) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    (request,) = wire.sent("token")
    assert request.data["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    parts = [part + "=" * (-len(part) % 4) for part in _text(request.data["client_assertion"]).split(".")[:2]]
    header, claims = (json.loads(base64.urlsafe_b64decode(part)) for part in parts)
    return header, claims


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _digest(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.skipif(msal_app.needs_thumbprint(), reason="this msal knows SHA-1 only")
@pytest.mark.parametrize("form", ["encrypted key", "chain, reversed", "PFX"])
def test_a_certificate_signs_with_sha256(wire: t.Any, files: Files, form: str, sign_in: t.Any) -> None:
    parts, password = FORMS[form](files)
    options = {"x509_certificate_path": files.write(*parts), "x509_certificate_password": password}
    assert sign_in(wire, {**TENANT, **options}).token() == "token-1"
    header, claims = assertion(wire)
    assert header["alg"] == "PS256"
    assert header["x5t#S256"].rstrip("=") == _digest(files.own.certificate.fingerprint(hashes.SHA256()))
    assert "x5t" not in header
    assert claims["iss"] == "app"
    assert claims["aud"] == "https://login.example:8443/contoso.example/oauth2/v2.0/token"


def test_a_certificate_signs_the_old_way_with_an_old_msal(
    wire: t.Any, files: Files, monkeypatch: pytest.MonkeyPatch, sign_in: t.Any
) -> None:
    monkeypatch.setattr(msal_app.msal, "__version__", "1.33.0b1")
    sign_in(wire, {**TENANT, "x509_certificate_path": files.write(key_pem(files.own), cert_pem(files.own))}).token()
    header, _claims = assertion(wire)
    assert header["x5t"].rstrip("=") == _digest(bytes.fromhex(sha1(files.own)))


@pytest.mark.parametrize("with_certificate", [True, False])
def test_a_thumbprint_signs_the_old_way(wire: t.Any, files: Files, with_certificate: bool, sign_in: t.Any) -> None:
    path = files.write(key_pem(files.own), cert_pem(files.own) if with_certificate else b"")
    sign_in(wire, {**TENANT, "x509_certificate_path": path, "thumbprint": spelt(sha1(files.own))}).token()
    header, _claims = assertion(wire)
    assert header["alg"] == "RS256"
    assert header["x5t"].rstrip("=") == _digest(bytes.fromhex(sha1(files.own)))


def test_an_unusable_certificate_fails_before_any_request(wire: t.Any, tmp_path: Path, sign_in: t.Any) -> None:
    with pytest.raises(OptionError):
        sign_in(wire, {**TENANT, "x509_certificate_path": str(tmp_path / "missing")})
    assert wire.requests == []
