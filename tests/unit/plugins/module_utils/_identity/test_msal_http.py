# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What msal's requests become: repeated or not, with TLS, and to no host where a credential has no business."""

from __future__ import annotations

import os
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import error_bodies, errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.clouds import Endpoints
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import SignInError
from ansible_collections.graphops.intune.plugins.module_utils._http import response
from ansible_collections.graphops.intune.plugins.module_utils._identity import msal_app

Options = dict[str, t.Any]

TENANT = {"tenant": "contoso.example", "client_id": "app"}


def spelt(thumbprint: str) -> str:
    return ":".join(thumbprint[i : i + 2] for i in range(0, 40, 2)).upper() + " "


APP = {**TENANT, "secret": "right"}
BUSY = {"error": "temporarily_unavailable", "error_description": "AADSTS90024: A transient error. Trace ID: t"}
BROKEN = {"error": "server_error", "error_description": "AADSTS90033: A transient error.", "trace_id": "the trace"}


@pytest.mark.parametrize("last", ["openid-configuration", "token"])
@pytest.mark.parametrize("trouble", [(500, BROKEN), (400, BUSY), (502, BROKEN), (400, {"error": "server_error"})])
def test_trouble_of_entra_id_passes(
    wire: t.Any, clock: t.Any, last: str, trouble: tuple[int, t.Any], sign_in: t.Any
) -> None:
    wire.passing[last] = [trouble, trouble]
    assert sign_in(wire, APP).token().startswith("token-")
    assert clock.slept == [1, 2]


def test_trouble_of_entra_id_that_stays_is_no_refusal(wire: t.Any, clock: t.Any, sign_in: t.Any) -> None:
    wire.answers["token"] = (500, BROKEN)
    with pytest.raises(errors.Unavailable) as caught:
        sign_in(wire, APP).token(10)
    assert caught.value.sentence() == (
        'login.example:8443 answered HTTP 500 (Internal Server Error): "AADSTS90033: A transient error." (tried 4 times'
        " within retry_timeout, 120 s); run again later."
    )
    assert caught.value.request_id == "the trace"
    assert clock.elapsed <= 10


def test_a_refusal_is_not_tried_again(wire: t.Any, sign_in: t.Any) -> None:
    wire.answers["token"] = (401, {"error": "invalid_client", "error_description": "AADSTS7000215: Wrong."})
    with pytest.raises(SignInError):
        sign_in(wire, APP).token()
    assert len(wire.sent("token")) == 1


@pytest.mark.parametrize("where", ["openid-configuration", "token"])
@pytest.mark.parametrize("status", [403, 404])
def test_the_page_of_a_web_filter_is_no_refusal_of_the_credential(
    wire: t.Any, where: str, status: int, sign_in: t.Any
) -> None:
    wire.answers[where] = (status, b"<html><head><title>Access denied</title></head></html>")
    with pytest.raises(errors.Unavailable) as caught:
        sign_in(wire, APP).token()
    assert caught.value.sentence().endswith(
        f'{error_bodies.status_name(status)}): "Access denied"; check authority_url, and that no proxy or portal stands'
        " in between."
    )
    assert len(wire.sent(where)) == 1


def answer_of(wire: t.Any, url: str) -> None:
    """Have the metadata name a token endpoint."""
    wire.answers["openid-configuration"] = (
        200,
        {"issuer": "i", "authorization_endpoint": "https://x.example/a", "token_endpoint": url},
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/t/oauth2/v2.0/token",
        "https://login.example/t/oauth2/v2.0/token",
        "https://login.example:8443@evil.example/t/oauth2/v2.0/token",
        "https://login.microsoftonline.com/t/oauth2/v2.0/token",
    ],
)
@pytest.mark.parametrize("options", [APP, {"username": "u@contoso.example", "password": "right"}])
def test_no_other_host_gets_the_credential(wire: t.Any, options: Options, url: str, sign_in: t.Any) -> None:
    answer_of(wire, url)
    with pytest.raises(SignInError, match="names a token endpoint at another host"):
        sign_in(wire, options).token()
    assert [request for request in wire.requests if request.method == "POST"] == []


def test_one_name_of_entra_id_may_send_to_another(wire: t.Any, sign_in: t.Any) -> None:
    answer_of(wire, "https://login.partner.microsoftonline.cn/t/oauth2/v2.0/token")
    china = Endpoints("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn")
    assert sign_in(wire, APP, china).token() == "token-1"
    with pytest.raises(SignInError, match="at another host"):
        sign_in(wire, APP, Endpoints("https://graph.microsoft.com", "https://login.microsoftonline.com")).token()


# What msal looks at of the metadata of a federation server.
MEX = b"""
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy"
 xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
 xmlns:sp="http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"
 xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:wsa10="http://www.w3.org/2005/08/addressing">
<wsp:Policy wsu:Id="p"><wsp:ExactlyOne><wsp:All><sp:TransportBinding/><sp:SignedEncryptedSupportingTokens><wsp:Policy>
<sp:UsernameToken><wsp:Policy><sp:WssUsernameToken10/></wsp:Policy></sp:UsernameToken></wsp:Policy>
</sp:SignedEncryptedSupportingTokens></wsp:All></wsp:ExactlyOne></wsp:Policy>
<wsdl:binding name="b"><wsp:PolicyReference URI="#p"/><soap12:binding transport="http://schemas.xmlsoap.org/soap/http"/>
<wsdl:operation><soap12:operation soapAction="http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue"/>
</wsdl:operation></wsdl:binding><wsdl:service><wsdl:port binding="x:b"><wsa10:EndpointReference>
<wsa10:Address>https://sts.example/trust</wsa10:Address></wsa10:EndpointReference></wsdl:port></wsdl:service>
</wsdl:definitions>"""
FEDERATED = {"account_type": "Federated", "federation_protocol": "WSTrust", "cloud_audience_urn": "urn:x"}
FAULT = b"""
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>
<s:Fault><s:Reason><s:Text>&lt;it&apos;s&gt; &amp; more
is wrong: &amp;lt;it&amp;apos;s&amp;gt; &amp;amp; more</s:Text></s:Reason><s:Code><s:Subcode><s:Value>x</s:Value>
</s:Subcode></s:Code></s:Fault></s:Body></s:Envelope>"""
USER = {"username": "u@contoso.example", "password": "right"}


@pytest.mark.parametrize(
    "realm",
    [
        {"federation_metadata_url": "http://sts.example/mex"},
        {"federation_metadata_url": "http://127.0.0.1/mex"},
        {"federation_metadata_url": "http://169.254.169.254/mex"},
    ],
)
def test_no_password_goes_through_the_network_in_the_clear(wire: t.Any, realm: dict[str, str], sign_in: t.Any) -> None:
    wire.answers["u@contoso.example"] = (200, {**FEDERATED, **realm})
    with pytest.raises(SignInError) as caught:
        sign_in(wire, USER).token()
    assert "is to be asked without TLS, where others could read along; have the server of" in caught.value.sentence()
    assert {urlsplit(request.url).netloc for request in wire.requests} == {"login.example:8443"}


def test_a_federation_server_is_not_asked_again_and_again(wire: t.Any, clock: t.Any, sign_in: t.Any) -> None:
    """It answers 500 to a wrong password, and locks the account after some of them."""
    wire.answers["u@contoso.example"] = (200, {**FEDERATED, "federation_metadata_url": "https://sts.example/mex"})
    wire.answers["mex"], wire.answers["trust"] = (200, MEX), (500, FAULT)
    with pytest.raises(SignInError) as caught:
        sign_in(wire, {**USER, "password": "<it's> & more"}).token()
    # The server repeats the password as XML has it.
    sentence = caught.value.sentence()
    assert "with user name and password failed at sts.example: " in sentence
    assert "is wrong: ********" in sentence
    assert not [spelling for spelling in ("it's", "it&apos;s", "it\\'s", "it&amp;apos;s") if spelling in sentence]
    assert sentence.endswith(
        "; check username and password, and that the federation server of this user's domain is well."
    )
    assert len(wire.sent("trust")) == 1
    # Nor does the transport try again.
    assert wire.limits[-1] == 0
    assert clock.slept == []


@pytest.mark.parametrize(
    ("name", "spelt"),
    [
        ("ops#1@contoso.example", "ops%231@contoso.example"),
        ("a_partner.example#EXT#@contoso.example", "a_partner.example%23EXT%23@contoso.example"),
        ("a?b/c%41 d@contoso.example", "a%3Fb%2Fc%2541%20d@contoso.example"),
        ("m\u00fcller@contoso.example", "m%C3%BCller@contoso.example"),
        ("o'neil+x@contoso.example", "o%27neil%2Bx@contoso.example"),
    ],
)
def test_a_name_is_escaped_in_an_address(wire: t.Any, name: str, spelt: str, sign_in: t.Any) -> None:
    wire.answers["token"] = (200, {"access_token": "token-1", "expires_in": 3600})
    assert sign_in(wire, {"username": name, "password": "right"}).token() == "token-1"
    (realm,) = [request for request in wire.requests if "userrealm" in request.url]
    assert realm.url == f"https://login.example:8443/common/userrealm/{spelt}?api-version=1.0"
    (request,) = wire.sent("token")
    assert request.data["username"] == name


MSI = {"auth_source": "msi"}


def test_each_of_many_threads_sees_its_own_environment(
    wire: t.Any, clock: t.Any, monkeypatch: t.Any, sign_in: t.Any
) -> None:
    """Each host has its managed identity, as msal finds it in the environment; all sign in at the same time."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://localhost:1/of-the-run")
    monkeypatch.setenv("IDENTITY_HEADER", "of the run")
    before, barrier = dict(os.environ), threading.Barrier(8)
    system_assigned = msal_app.msal.SystemAssignedManagedIdentity

    def slowly() -> t.Any:
        time.sleep(0.005)
        return system_assigned()

    monkeypatch.setattr(msal_app.msal, "SystemAssignedManagedIdentity", slowly)

    class Slow(type(wire)):  # type: ignore[misc]
        def send_with_retries(self, *args: t.Any, **request: t.Any) -> response.Response:
            # All are here at the same time: no one's request waits for another's.
            barrier.wait(10)
            return super().send_with_retries(*args, **request)

    def run(number: int) -> list[tuple[str, str]]:
        mine = Slow(clock.handed)
        own = {"IDENTITY_ENDPOINT": f"http://localhost:{number}/token", "IDENTITY_HEADER": f"header {number}"}
        mine.answers["token"] = (200, {"access_token": f"token-{number}", "expires_on": str(int(time.time()) + 3600)})
        # Odd ones have another kind of endpoint, and must not see those of the even ones.
        if number % 2:
            own = {"MSI_ENDPOINT": own["IDENTITY_ENDPOINT"], "MSI_SECRET": own["IDENTITY_HEADER"]}
        for _time in range(5):
            who = sign_in(mine, MSI, environ=own)
            assert who.token() == f"token-{number}"
        names = ("X-IDENTITY-HEADER", "secret")
        return [(r.url, next(r.headers[name] for name in names if name in r.headers)) for r in mine.requests]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, range(8)))
    assert found == [[(f"http://localhost:{number}/token", f"header {number}")] * 5 for number in range(8)]
    assert os.environ == before
    assert type(os.environ).__name__ == "_Environ"
