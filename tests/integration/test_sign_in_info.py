# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who signs in, what that allows, and what is said where it does not work: real MSAL, over HTTPS."""

from __future__ import annotations

import datetime
import json
import shlex
import typing as t
from pathlib import Path

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simulator import Fault, FederatedCredential

from .conftest import SEND_THE_MODULE, Run, Site
from .test_returned import told_by
from .test_runner import add_job, environment

pytestmark = pytest.mark.slow

SIGN_IN = "graphops.intune.intune_sign_in_info"
SERVICE, CONFIGURATION = "DeviceManagementServiceConfig", "DeviceManagementConfiguration"
ADMINISTRATOR = "3a2c62db-5318-420d-8d74-23affee5d9d5"


def options(site: Site, **changes: t.Any) -> dict[str, t.Any]:
    """The options of an app with its secret; a change to None leaves one out."""
    return site.options(**{"connector_id": None, "wait_sleep": None, **changes})


def tasks(*each: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """A task for each, of which none ends the play."""
    return [{SIGN_IN: one, "ignore_errors": True} for one in each]


def look(site: Site, *each: dict[str, t.Any], **more: t.Any) -> Run:
    """Run the tasks; nothing that is secret is on the screen."""
    run = site.play(tasks(*each), "-vvv", **more)
    assert len(run.results) == len(each), run.output
    assert str(site.app.secret) not in run.output
    for token in site.world.access_tokens:
        assert token.split(".")[1][:60] not in run.output
    return run


def with_certificate(site: Site, path: Path, *, days: int, other_key: bool = False) -> dict[str, t.Any]:
    """An app with a certificate that is good for so many days more."""
    key, other = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _key in range(2))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "intune")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days, hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8
    sealed = (other if other_key else key).private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path.write_bytes(sealed + pem)
    app = site.tenant.add_app(certificate=pem.decode())
    return options(site, client_id=app.client_id, secret=None, x509_certificate_path=str(path))


def test_who_signs_in_and_what_that_allows(site: Site) -> None:
    """Some permissions are there, some are missing, and some are included in others."""
    app = site.tenant.add_app(roles=[f"{SERVICE}.ReadWrite.All", f"{CONFIGURATION}.Read.All"])
    run = look(
        site,
        options(site),
        options(site, client_id=app.client_id, secret=app.secret),
        options(site, client_id=app.client_id, secret=app.secret, fail_on=["permission"], kinds=["managed_device"]),
        options(site, client_id=app.client_id, secret=app.secret, fail_on=["permission"], kinds=["vpp_token"]),
        environment={"AZURE_TENANT_ID": "fabrikam.example", "AZURE_SECRET": "another-one"},
    )
    everything, some, failed, enough = run.results
    assert run.failed == [False, False, True, False]
    assert everything["problems"] == []
    assert everything["auth_source"] == "client_secret"
    assert everything["sources"]["tenant"] == everything["sources"]["secret"] == "option"
    assert everything["tenant_id"] == site.tenant.id
    assert {entry["reads"] for entry in everything["permissions"].values()} == {"yes"}
    assert {entry["syncs"] for entry in everything["permissions"].values()} == {"yes", None}
    play, device = some["permissions"]["managed_google_play"], some["permissions"]["managed_device"]
    assert (play["reads"], play["syncs"], play["missing"]) == ("yes", "no", [f"{CONFIGURATION}.ReadWrite.All"])
    assert (device["reads"], device["syncs"]) == ("no", "no")
    assert device["missing"] == [
        "DeviceManagementManagedDevices.PrivilegedOperations.All",
        "DeviceManagementManagedDevices.Read.All",
    ]
    address = f"{site.simulator.authority_url}/{site.tenant.id}/adminconsent?client_id={app.client_id}"
    assert play["remedy"].endswith(f" consent to it at {address}.")
    assert len(some["problems"]) == 2
    assert failed["msg"].startswith(
        f"tenant {site.tenant.domain}: DeviceManagementManagedDevices.PrivilegedOperations.All and"
        " DeviceManagementManagedDevices.Read.All are missing for managed_device; add the application permissions "
    )
    assert [*enough["permissions"]] == ["vpp_token"]
    # One sign-in for each of the two apps, which the tasks of a run share, and not one request to Graph.
    assert len(site.requests("token")) == 2
    assert site.world.connections_to("graph") == 0


def test_a_sign_in_that_fails_is_explained(site: Site, tmp_path: Path) -> None:
    """In the words of the modules, with what they do not know."""
    wrong_key = with_certificate(site, tmp_path / "other.pem", days=300, other_key=True)
    expired = with_certificate(site, tmp_path / "expired.pem", days=-3)
    bad = {**expired, "client_id": site.app.client_id}
    soon = with_certificate(site, tmp_path / "soon.pem", days=12)
    wrong_app = "00000000-0000-4000-8000-000000000000"
    run = look(
        site,
        options(site, secret="wrong"),
        options(site, secret="wrong", fail_on=[]),
        wrong_key,
        bad,
        soon,
        options(site, tenant="nobody.example"),
        options(site, client_id=wrong_app),
        options(site, secret=None),
        options(site, auth_source="oidc"),
        options(site, graph_url="http://plain"),
        options(site, fail_on=["probe"]),
    )
    refused, told, key, certificate, well, nobody, stranger, nothing, chosen, plain, bad_option = run.results
    assert run.failed == [True, False, True, True, False, True, True, True, True, True, True]
    assert refused["msg"].startswith(
        f"tenant {site.tenant.domain}: sign-in as client {site.app.client_id} with the app"
    )
    assert "AADSTS7000215" in refused["msg"]
    assert (told["signed_in"], told["tenant_id"], told["problems"]) == (False, site.tenant.id, refused["problems"])
    assert told["request_id"]
    assert told["permissions"]["vpp_token"] == {"reads": "unknown", "syncs": "unknown", "missing": [], "remedy": None}
    assert "holds no certificate for its key" in key["msg"]
    assert key["certificate"]["key_fits"] is False
    assert key["problems"][1].startswith("The key beside the certificate CN=intune is that of another one; ")
    assert "AADSTS" in certificate["msg"]
    assert certificate["certificate"]["days_left"] == -3
    assert certificate["problems"][1].startswith("The certificate CN=intune expired on ")
    assert well["certificate"]["days_left"] == 12
    assert well["warnings"] == well["problems"]
    assert well["problems"][0].startswith("The certificate CN=intune expires in 12 days, on ")
    assert (nobody["signed_in"], nobody["tenant_id"]) == (False, None)
    assert stranger["problems"][1] == (
        f"An administrator of tenant {site.tenant.domain} can consent to the app at {site.simulator.authority_url}"
        f"/{site.tenant.domain}/adminconsent?client_id={wrong_app}."
    )
    assert nothing["auth_source"] is None
    assert nothing["passed_over"][0]["why"] == "secret (or AZURE_SECRET or AZURE_CLIENT_SECRET) is not given"
    assert chosen["passed_over"] == []
    assert plain["msg"].startswith(f"tenant {site.tenant.domain}: graph_url is not the https address of a host; ")
    assert bad_option["msg"] == "fail_on has probe, but probe is false; set probe to true."


def test_graph_is_asked_once_for_each_version(site: Site) -> None:
    """What it answers is told of each kind: what there is, what there is none of, and what may not be read."""
    world = site.world
    site.tenant.add_vpp_token()
    other = world.add_tenant("fabrikam.example")
    other.has_intune_licence = False
    other_app = other.add_app()
    world.faults.add(
        Fault("list", kind="enrollment_program_token", status=429, headers={"Retry-After": "60"}, times=None)
    )
    world.faults.add(Fault("get", kind="autopilot", status=403, times=None))
    run = look(
        site,
        options(site, probe=True),
        options(site, probe=True, fail_on=["sign_in", "permission", "probe"], kinds=["autopilot"]),
        options(
            site, tenant=other.domain, client_id=other_app.client_id, secret=other_app.secret, probe=True,
            kinds=["vpp_token"], fail_on=["probe"],
        ),
    )  # fmt: skip
    found, failed, unlicensed = run.results
    assert run.failed == [False, True, True]
    statuses = {name: probe["status"] for name, probe in found["probes"].items()}
    assert (statuses["vpp_token"], statuses["enrollment_program_token"], statuses["autopilot"]) == (200, 429, 403)
    assert found["probes"]["exchange_connector"]["msg"] == "it can be read."
    assert found["probes"]["mobile_threat_defense_connector"]["msg"] == (
        "this tenant has no mobile threat defense connector."
    )
    assert all(probe["request_id"] for probe in found["probes"].values())
    assert [problem.partition(": ")[0] for problem in found["problems"]] == ["autopilot", "enrollment_program_token"]
    assert failed["msg"].startswith(
        f"tenant {site.tenant.domain}: autopilot: Windows Autopilot services: could not read"
    )
    assert "the tenant has no Intune: check tenant and its licence" in unlicensed["msg"]
    assert abs(found["clock_difference"]) <= 2
    batches = [request for request in world.requests if request.where == "batch"]
    assert [request.path.split("/")[1] for request in batches] == ["v1.0", "beta"] or len(batches) == 2
    # Nothing was repeated, whatever Retry-After says.
    assert len(site.requests("list")) + len(site.requests("get")) == 9 + 1 + 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"value": {"a": 1}}, "could not list them, because Graph sent no list"),
        ({"value": [{"no": "id"}]}, "Graph's answer is no Apple VPP token"),
        ("<html>sign in</html>", "with no JSON object but 20 bytes"),
        ({"value": []}, ""),
    ],
)
def test_a_success_that_is_none_is_told(site: Site, body: t.Any, says: str) -> None:
    """As the other modules tell it; who reads that all is well looks no further."""
    site.world.faults.add(Fault("list", body=body, times=None))
    run = look(site, options(site, probe=True, fail_on=["probe"], kinds=["vpp_token"]))
    assert run.failed == [bool(says)]
    assert says in run.result.get("msg", "")


def test_a_clock_that_is_wrong_is_told(site: Site) -> None:
    """It is the reason for which a certificate's proof is refused, and many a token."""
    site.world.clock_offset = datetime.timedelta(minutes=20)
    run = look(site, options(site, secret="wrong"), options(site, probe=True, kinds=["vpp_token"]))
    for result in run.results:
        assert 1195 <= result["clock_difference"] <= 1205
        assert any(" behind Microsoft's; set it (NTP)." in problem for problem in result["problems"])
    assert run.failed == [True, False], [result.get("msg") for result in run.results]


def test_what_a_user_may_do_is_not_in_the_token(site: Site) -> None:
    """Unless a role in Entra ID says that it is everything."""
    app = site.tenant.add_app(public=True, roles=[f"{SERVICE}.ReadWrite.All"])
    site.tenant.add_user("ada@contoso.example", "pass word 1")
    site.tenant.add_user("eve@contoso.example", "pass word 2", directory_roles=[ADMINISTRATOR])
    plain = options(site, client_id=app.client_id, secret=None, kinds=["vpp_token", "managed_google_play"])
    run = look(
        site,
        {**plain, "username": "ada@contoso.example", "password": "pass word 1"},
        {**plain, "username": "eve@contoso.example", "password": "pass word 2"},
    )
    ada, eve = run.results
    assert (ada["user_name"], ada["scopes"], ada["roles"]) == ("ada@contoso.example", [f"{SERVICE}.ReadWrite.All"], [])
    assert [ada["permissions"]["vpp_token"][what] for what in ("reads", "syncs")] == ["unknown", "unknown"]
    assert [eve["permissions"]["vpp_token"][what] for what in ("reads", "syncs")] == ["yes", "yes"]
    assert "add the delegated permission" in eve["permissions"]["managed_google_play"]["remedy"].lower()


def test_a_ready_token_is_looked_into(site: Site) -> None:
    """Whether it has ended, is of another tenant, or for another host; or says nothing."""
    world, graph = site.world, site.simulator.graph_url
    other = world.add_tenant("fabrikam.example")
    good = world.issue_access_token(site.app, graph)
    foreign = world.issue_access_token(site.app, "https://management.azure.com")
    world.token_lifetime = -60
    ended = world.issue_access_token(site.app, graph)
    world.token_lifetime, world.opaque_tokens = 3600, True
    opaque = world.issue_access_token(site.app, graph)
    plain = options(site, client_id=None, secret=None, kinds=["vpp_token"])
    run = look(
        site,
        *({**plain, "access_token": token} for token in (good, foreign, ended, opaque)),
        {**plain, "access_token": good, "tenant": other.domain},
        {**plain, "access_token": good, "tenant": other.id},
    )
    ready, stranger, late, unread, *elsewhere = run.results
    assert run.failed == [False, True, True, False, True, True]
    assert (ready["client_id"], ready["app_name"]) == (site.app.client_id, "App of contoso.example")
    assert "the access token is for https://management.azure.com, and not for " in stranger["msg"]
    assert "the access token expired on " in late["msg"]
    assert (unread["permissions"]["vpp_token"]["reads"], unread["roles"], unread["expires_at"]) == (
        "unknown",
        None,
        None,
    )
    assert "set probe to true to ask Graph" in unread["warnings"][0]
    for result in elsewhere:
        assert f"the access token is of tenant {site.tenant.id}, and not of {other.domain}"[:70] in result["msg"]


def test_a_federated_token_is_laid_beside_what_is_wanted(site: Site, tmp_path: Path) -> None:
    """And the credential that would accept it can be made as it is told."""
    now = int(datetime.datetime.now(datetime.timezone.utc).timestamp())
    claims = {
        "iss": "https://kubernetes.contoso.example/", "sub": "system:serviceaccount:awx:intune", "iat": now - 7200,
        "exp": now - 3600, "aud": "https://kubernetes.default.svc",
    }  # fmt: skip
    old = jwt.encode(claims, "a key of thirty-two bytes or more", algorithm="HS256")
    new = jwt.encode(
        {**claims, "exp": now + 3600, "aud": "api://AzureADTokenExchange"},
        "a key of thirty-two bytes or more",
        algorithm="HS256",
    )
    app = site.tenant.add_app(federated={new})
    (tmp_path / "token").write_text(new)
    of_file = {"oidc_token_file_path": str(tmp_path / "token"), "allow_environment_credential": True}
    plain = options(site, client_id=app.client_id, secret=None, kinds=["vpp_token"])
    run = look(site, {**plain, "oidc_token": old}, {**plain, **of_file})
    refused, accepted = run.results
    assert run.failed == [True, False], [result.get("msg") for result in run.results]
    assert refused["federated_token"]["audience"] == "https://kubernetes.default.svc"
    assert refused["problems"][1] == "The federated token expired 1 h ago; see that it is renewed."
    assert "Entra ID wants api://AzureADTokenExchange in this cloud" in refused["problems"][2]
    assert accepted["problems"] == []
    body = accepted["federated_credential"]["body"]
    assert (body["issuer"], body["subject"]) == (claims["iss"], claims["sub"])
    assert json.loads(shlex.split(accepted["federated_credential"]["command"])[-1]) == body
    assert accepted["federated_token"]["lifetime"] == 3600 + 7200
    assert old not in run.output
    assert new not in run.output


def test_a_job_is_told_what_its_token_says(site: Site) -> None:
    """Whether it is taken or refused, with the credential that would accept it."""
    job, app = add_job(site, "github")
    stranger = site.tenant.add_app(trusted=[FederatedCredential(job.issuer, "repo:contoso/other:ref:refs/heads/main")])
    plain = {"ca_path": site.simulator.ca_path, "kinds": ["vpp_token"]}
    here = {**environment(site, job, app), "HOME": str(site.folder)}
    wrong = {**plain, "client_id": stranger.client_id, "auth_source": "oidc"}
    # The second one meets a refusal that the run remembers.
    run = look(site, plain, wrong, wrong, environment=here)
    accepted, refused, _again = run.results
    assert run.failed == [False, True, True]
    assert (accepted["auth_source"], accepted["sources"]["oidc_token"]) == ("oidc", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    assert accepted["auth_source_reason"].endswith("the runner of this job gives federated tokens")
    assert "AADSTS700213" in refused["msg"]
    for result in run.results:
        assert result["federated_token"]["subject"] == job.subject
        assert result["federated_credential"]["body"]["issuer"] == job.issuer
        assert result["federated_token"]["lifetime"] == job.lifetime
    assert not any(secret in run.output for secret in (job.proof, *job.tokens))


AZ = """#!/bin/sh
account='{"tenantId": "8f1c1f4e-6f0e-4a64-8f0a-0a3b9a1d9b11", "user": {"name": "ada@contoso.example", "type": "user"}}'
case "$2" in
show) echo "$account";;
*) echo "ERROR: AADSTS70043: The refresh token has expired" >&2; exit 1;;
esac
"""


def test_what_the_host_itself_holds(site: Site, tmp_path: Path) -> None:
    """The account of the Azure CLI, and whether the service for managed identities answers."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "az").write_text(AZ)
    (tmp_path / "bin" / "az").chmod(0o755)
    plain = {"ca_path": site.simulator.ca_path, "retry_timeout": 0, "kinds": ["vpp_token"]}
    environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", **site.hosts, "AZURE_CLIENT_ID": site.app.client_id}
    run = look(site, {**plain, "auth_source": "cli"}, plain, environment=environment)
    for result in run.results:
        assert result["cli_account"] == {
            "name": "ada@contoso.example", "type": "user", "tenant_id": "8f1c1f4e-6f0e-4a64-8f0a-0a3b9a1d9b11",
        }  # fmt: skip
        assert result["signed_in"] is False
    assert run.results[1]["auth_source_reason"] == (
        "nothing is given that proves who signs in, and the program az is installed"
    )
    assert [way["auth_source"] for way in run.results[1]["passed_over"]][:2] == ["client_secret", "certificate"]
    there = {"IDENTITY_ENDPOINT": site.simulator.managed_identity_url, "IDENTITY_HEADER": "wrong", **site.hosts}
    gone = {**there, "IDENTITY_ENDPOINT": "http://127.0.0.1:9/msi/token"}
    for endpoint, reachable in ((there, True), (gone, False)):
        (result,) = look(site, {**plain, "auth_source": "msi"}, environment=endpoint).results
        assert result["metadata_service"]["reachable"] is reachable
        assert result["signed_in"] is False


def test_what_is_sent_to_a_host_tells_the_same(site: Site) -> None:
    """In check mode as well."""
    each = [options(site, probe=True), options(site, secret="wrong")]
    here = look(site, *each, environment={"ANSIBLE_CHECK_MODE": "1"})
    sent = site.play(tasks(*each), *SEND_THE_MODULE, "--check")
    own = {"expires_at", "expires_in", "request_id", "probes", "invocation", "clock_difference", "msg", "problems"}
    for one, other in zip(here.results, sent.results):
        assert one.keys() - {"exception"} == other.keys() - {"exception"}
        assert {name: one[name] for name in one if name not in own} == {
            name: other[name] for name in other if name not in own
        }


def test_the_module_returns_what_it_documents(site: Site, tmp_path: Path) -> None:
    """Down to the last key."""
    token = jwt.encode({"iss": "i", "sub": "s", "aud": "a", "iat": 1, "exp": 2}, "k" * 32, algorithm="HS256")
    app = site.tenant.add_app(federated={token})
    results = look(
        site,
        options(site, probe=True),
        options(site, secret="wrong"),
        options(site, secret=None),
        with_certificate(site, tmp_path / "app.pem", days=300),
        options(site, client_id=app.client_id, secret=None, oidc_token=token),
    ).results
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "az").write_text(AZ)
    (tmp_path / "bin" / "az").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", **site.hosts,
        "IDENTITY_ENDPOINT": site.simulator.managed_identity_url, "IDENTITY_HEADER": "wrong",
    }  # fmt: skip
    plain = {"ca_path": site.simulator.ca_path, "retry_timeout": 0}
    results += look(
        site, {**plain, "auth_source": "cli"}, {**plain, "auth_source": "msi"}, environment=environment
    ).results
    site.tenant.add_user("ada@contoso.example", "pass word 1")
    public = site.tenant.add_app(public=True)
    user = {"client_id": public.client_id, "secret": None, "username": "ada@contoso.example", "password": "pass word 1"}
    results += look(site, options(site, **user)).results
    told_by(SIGN_IN, results)
