# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made of Entra ID's refusals, in the words that Entra ID has for them."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import SignInError
from ansible_collections.graphops.intune.plugins.module_utils._identity import aadsts, refusals
from ansible_collections.graphops.intune.plugins.module_utils._identity.methods import METHODS
from hypothesis import given
from hypothesis import strategies as st

PERMISSION = "DeviceManagementServiceConfig.ReadWrite.All"
WAYS = {method.source: method for method in METHODS}

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["code", "message"]) | st.text(), inner),
)


def refused(action: str, status: int | None, answer: dict[str, t.Any], source: str = "client_secret") -> SignInError:
    return refusals.refusal(action, status, answer, method=WAYS[source], permission=PERMISSION)


@given(st.dictionaries(st.sampled_from(["error", "error_description", "trace_id", "correlation_id", "message"]), JSON))
def test_any_refusal_gives_a_printable_line(answer: dict[str, t.Any]) -> None:
    error = refused("sign-in", 400, answer)
    assert error.sentence().isprintable()
    assert len(error.what) <= 450
    assert error.request_id is None or error.request_id.isprintable()


TRACE = "0c5f0b27-ce05-4c71-a0bc-6b1e6d8a4a00"
AADSTS_TAIL = f" Trace ID: {TRACE} Correlation ID: 6a1b6f0c-52f5-4ea4-a9a7-4d1a2f7d1f11 Timestamp: 2026-11-22 18:00:00Z"


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client"
            " secret value, not the client secret ID, for a secret added to app 'f1'.",
            "set secret to the secret's value (not its ID) and check that it belongs to client_id",
        ),
        (
            "AADSTS7000222: The provided client secret keys for app 'f1' are expired.",
            "the secret has expired: make a new one in the app registration",
        ),
        (
            "AADSTS700016: Application with identifier 'f1' was not found in the directory 'Contoso'.",
            "check client_id and tenant: the app is not registered or not consented to in this tenant",
        ),
        (
            "AADSTS90002: Tenant 'contoso.example' not found. Check to make sure you have the correct tenant ID and are"
            " signing into the correct cloud.",
            "check tenant, and cloud_environment if it is not in the public cloud",
        ),
        (
            "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on"
            " application.",
            "upload this certificate to the app registration, or check x509_certificate_path and thumbprint",
        ),
        (
            "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or"
            " 'client_secret'.",
            "give secret or a certificate, or allow public client flows in the app registration",
        ),
        (
            "AADSTS700213: No matching federated identity record found for presented assertion subject 'repo:x'.",
            "give the app registration a federated credential with the subject of the token, letter by letter",
        ),
        (
            "AADSTS50126: Error validating credentials due to invalid username or password.",
            "check username and password",
        ),
        (
            "AADSTS50076: Due to a configuration change made by your administrator, or because you moved to a new"
            " location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.",
            "the user needs multi-factor authentication, which no unattended run can do: sign in as an app",
        ),
        (
            "AADSTS65001: The user or administrator has not consented to use the application with ID 'f1'.",
            "grant admin consent for DeviceManagementServiceConfig.ReadWrite.All to the app in this tenant, as an"
            " application permission",
        ),
        # Whole numbers count: this is not 700213 with a digit more.
        ("AADSTS70021399: Something new.", "check tenant, client_id and the credential"),
        ("AADSTS99999999: Something new.", "check tenant, client_id and the credential"),
    ],
)
def test_the_refusals_of_entra_id_in_words(said: str, advice: str) -> None:
    answer = {"error": "invalid_client", "error_description": said + AADSTS_TAIL, "trace_id": TRACE}
    error = refused("sign-in with the app's secret", 401, answer)
    assert error.sentence("graphops.intune") == (
        f"graphops.intune: sign-in with the app's secret was refused (HTTP 401): {said.rstrip('.')}; {advice}."
    )
    assert error.request_id == TRACE


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({}, "no reason given"),
        ({"error": "server_error"}, "server_error"),
        ({"error": ["x"], "error_description": {"y": 1}}, "no reason given"),
        ({"error": "x", "error_description": AADSTS_TAIL}, "x"),
        ({"error_description": "Oh\r\nno.\r\nTrace ID: 1\r\nCorrelation ID: 2"}, "Oh no"),
    ],
)
def test_refusals_that_say_little(answer: dict[str, t.Any], text: str) -> None:
    error = refused("sign-in", None, answer)
    assert error.sentence() == f"sign-in was refused: {text}; check tenant, client_id and the credential."
    assert error.request_id is None


def test_a_correlation_id_is_better_than_no_id() -> None:
    assert refused("sign-in", 400, {"correlation_id": "c"}).request_id == "c"
    assert refused("sign-in", 400, {"correlation_id": "c", "trace_id": "t"}).request_id == "t"


@pytest.mark.parametrize(
    ("code", "source", "words"),
    [
        # The clock of a host that signs a proof by itself, against a token that somebody else has made.
        ("700024", "certificate", "set the clock of the host on which the task runs"),
        ("700024", "oidc", "the federated token has expired or is not valid yet"),
        ("50013", "certificate", "clock of this host"),
        ("50013", "password", "federation server"),
        # Conditional Access and device policies: an app has no device, and no user has a workload's policy.
        ("53003", "client_secret", "exclude the app or the address"),
        ("53003", "password", "exclude the user or the address"),
        *((code, "password", "device") for code in ("53000", "53001", "530003", "50005", "50097", "50129", "50155")),
        ("53002", "password", "approved apps"),
        ("530035", "password", "security defaults"),
        *((code, "password", "multi-factor") for code in ("50158", "50072", "50074", "50076", "50079", "53004")),
        ("53011", "password", "user at risk"),
        ("53011", "certificate", "app at risk"),
        ("70043", "refresh_token", "sign-in frequency"),
        # Assignments, consent, disabled apps.
        ("50105", "password", "assign the user"),
        ("50105", "client_secret", "assign the app"),
        ("7000112", "client_secret", "the app is disabled"),
        ("65001", "password", "delegated permission"),
        ("65001", "client_secret", "application permission"),
        ("90094", "refresh_token", "delegated permission"),
        # Users.
        ("50057", "password", "disabled"),
        ("50053", "password", "locked"),
        ("50055", "password", "expired"),
        ("50020", "password", "guest"),
        ("50014", "password", "guest"),
        # Clouds and tenants.
        ("90038", "client_secret", "cloud_environment"),
        ("900382", "client_secret", "cloud_environment"),
        ("5000224", "client_secret", "blocked"),
        ("500021", "client_secret", "tenant restrictions"),
        # What is given once.
        ("7000222", "client_secret", "expired"),
        ("700082", "refresh_token", "expired"),
        ("50173", "refresh_token", "revoked"),
        ("", "msi", "managed identity"),
    ],
)
def test_advice_fits_the_way_of_sign_in(code: str, source: str, words: str) -> None:
    assert words in refusals.advice(code, WAYS[source], PERMISSION)


@pytest.mark.parametrize("source", ["client_secret", "password"])
def test_consent_is_asked_for_what_is_to_be_done(source: str) -> None:
    advice = refusals.advice("65001", WAYS[source], "DeviceManagementApps.ReadWrite.All")
    assert advice.startswith("grant admin consent for DeviceManagementApps.ReadWrite.All to the app in this tenant, as")


@pytest.mark.parametrize("code", aadsts.ADVICE)
def test_every_advice_is_a_clause_for_every_way(code: str) -> None:
    assert re.fullmatch(r"[0-9]{5,8}", code)
    for source in WAYS:
        advice = refusals.advice(code, WAYS[source], PERMISSION)
        assert re.fullmatch(r"[a-zE].*[^.;\s]", advice), advice
        answer = {"error": "x", "error_description": f"AADSTS{code}: Said."}
        error = refused("sign-in", 400, answer, source)
        assert error.sentence() == f"sign-in was refused (HTTP 400): AADSTS{code}: Said; {advice}."


@pytest.mark.parametrize(
    ("answer", "passes"),
    [
        ({"error": "temporarily_unavailable"}, True),
        ({"error": "server_error", "error_description": "AADSTS90033: A transient error has occurred."}, True),
        ({"error": "invalid_grant", "error_description": "AADSTS90024: Try again."}, True),
        ({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret."}, False),
        # A password that is tried again and again may lock an account.
        ({"error": "invalid_grant", "error_description": "AADSTS80002: Timed out."}, False),
        ({"error": {"code": "server_error"}}, False),
        ({}, False),
    ],
)
def test_trouble_of_the_service_is_no_refusal(answer: dict[str, t.Any], passes: bool) -> None:
    assert refusals.may_pass(answer) is passes
