# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts are talked to."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import clouds
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError
from ansible_collections.graphops.intune.plugins.module_utils._ground.option_values import OptionValue, lookup

TABLE = {
    "AzureCloud": ("https://graph.microsoft.com", "https://login.microsoftonline.com"),
    "AzureUSGovernment": ("https://graph.microsoft.us", "https://login.microsoftonline.us"),
    "AzureUSGovernmentDoD": ("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    "AzureChinaCloud": ("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}
PUBLIC_GRAPH, PUBLIC_LOGIN = TABLE["AzureCloud"]


def named(
    options: dict[str, t.Any], environ: dict[str, str], own: dict[str, str] | None = None
) -> dict[str, OptionValue]:
    whole = {**environ, **(own or {})}
    return {name: lookup(name, of, options, whole, own or ()) for name, of in clouds.CLOUD_VARIABLES.items()}


def endpoints(options: dict[str, t.Any], environ: dict[str, str]) -> clouds.Endpoints:
    return clouds.endpoints(named(options, environ))


def untrusted_hosts(
    options: dict[str, t.Any], environ: dict[str, str], own: dict[str, str] | None = None
) -> list[OptionValue]:
    return clouds.untrusted_hosts(named(options, environ, own), environ, own or {})


@pytest.mark.parametrize("cloud", clouds.CLOUDS)
def test_the_clouds(cloud: str) -> None:
    found = endpoints({"cloud_environment": cloud}, {})
    assert found == TABLE[cloud]
    assert found.scope == TABLE[cloud][0] + "/.default"
    assert endpoints({}, {"AZURE_CLOUD_ENVIRONMENT": cloud}) == found


@pytest.mark.parametrize(
    ("given", "environ", "graph", "login"),
    [
        ({}, {}, PUBLIC_GRAPH, PUBLIC_LOGIN),
        (
            {"cloud_environment": "", "graph_url": "", "authority_url": None},
            {"AZURE_CLOUD_ENVIRONMENT": "", "MSGRAPH_URL": "", "AZURE_AUTHORITY_HOST": ""},
            PUBLIC_GRAPH,
            PUBLIC_LOGIN,
        ),
        (
            {"cloud_environment": "AzureCloud"},
            {"AZURE_CLOUD_ENVIRONMENT": "AzureChinaCloud"},
            PUBLIC_GRAPH,
            PUBLIC_LOGIN,
        ),
        # As AKS sets it, which is wrong for a tenant of another cloud.
        (
            {"cloud_environment": "AzureUSGovernment"},
            {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/", "MSGRAPH_URL": PUBLIC_GRAPH},
            *TABLE["AzureUSGovernment"],
        ),
        (
            {"cloud_environment": "AzureUSGovernment"},
            {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/", "MSGRAPH_URL": "https://g.example"},
            "https://g.example",
            "https://login.microsoftonline.us",
        ),
        (
            {},
            {"AZURE_CLOUD_ENVIRONMENT": "AzureUSGovernment", "MSGRAPH_URL": "https://g.example"},
            "https://g.example",
            "https://login.microsoftonline.us",
        ),
        # The same cloud under its other name.
        (
            {"cloud_environment": "AzureChinaCloud"},
            {"AZURE_AUTHORITY_HOST": "https://login.partner.microsoftonline.cn"},
            TABLE["AzureChinaCloud"][0],
            "https://login.partner.microsoftonline.cn",
        ),
        # An option that is right hides a variable that is not.
        ({"cloud_environment": "AzureCloud"}, {"AZURE_CLOUD_ENVIRONMENT": "Moon"}, PUBLIC_GRAPH, PUBLIC_LOGIN),
        ({"graph_url": "https://graph.example"}, {"MSGRAPH_URL": "nonsense://"}, "https://graph.example", PUBLIC_LOGIN),
        (
            {"graph_url": "https://g.example"},
            {"AZURE_AUTHORITY_HOST": "l.example"},
            "https://g.example",
            "https://l.example",
        ),
        (
            {"authority_url": "https://l.example"},
            {"MSGRAPH_URL": "https://g.example"},
            "https://g.example",
            "https://l.example",
        ),
        (
            {"cloud_environment": "AzureUSGovernment", "graph_url": "https://g.example"},
            {},
            "https://g.example",
            "https://login.microsoftonline.us",
        ),
        ({}, {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"}, PUBLIC_GRAPH, "https://login.microsoftonline.us"),
        (
            {},
            {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"},
            PUBLIC_GRAPH,
            "https://login.microsoftonline.us",
        ),
    ],
)
def test_explicit_hosts_win_over_the_cloud_and_options_over_the_environment(
    given: dict[str, str], environ: dict[str, str], graph: str, login: str
) -> None:
    assert endpoints(given, environ) == (graph, login)


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://graph.example", "https://graph.example"),
        ("https://graph.example/", "https://graph.example"),
        ("https://graph.example//", "https://graph.example"),
        ("HTTPS://Graph.EXAMPLE:8443/", "https://graph.example:8443"),
        ("graph.example", "https://graph.example"),
        ("graph.example:8443/", "https://graph.example:8443"),
        ("https://127.0.0.1:1", "https://127.0.0.1:1"),
        ("https://[::1]", "https://[::1]"),
        ("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443"),
        ("[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_an_origin_in_any_spelling(written: str, origin: str) -> None:
    found = endpoints({"graph_url": written}, {"AZURE_AUTHORITY_HOST": written})
    assert found == (origin, origin)


@pytest.mark.parametrize(
    "garbage",
    [
        "http://graph.example",
        "ftp://graph.example",
        "file:///etc/passwd",
        "https://",
        "https:///graph.example",
        "https:graph.example",
        "//graph.example",
        "https://:443",
        "https://user@graph.example",
        "https://user:password@graph.example",
        "https://@graph.example",
        "https://graph.microsoft.com@evil.example",
        "https://graph.example/v1.0",
        "https://graph.example/tenant/",
        "graph.example/v1.0",
        "https://graph.example?a=b",
        "https://graph.example/?a=b",
        "https://graph.example#part",
        "https://graph.example:0",
        "https://graph.example:99999",
        "https://graph.example:-1",
        "https://graph.example:port",
        "https://graph.example:\uff11",
        "https://[::1",
        "https://::1",
        "https://graph example",
        "https:// graph.example",
        "https://graph.example\\.evil.example",
        "https://graph.example,evil.example",
        "https://graph.exa\x7fmple",
        "https://graph.exa%6dple",
        "https://graph.exa\nmple",
        " ",
    ],
)
def test_garbage_is_refused_without_being_shown(garbage: str) -> None:
    with pytest.raises(OptionError) as caught:
        endpoints({"graph_url": garbage}, {})
    # The address may hold a password.
    assert caught.value.sentence() == (
        "graph_url is not the https address of a host; write it as https://host or https://host:port."
    )


@pytest.mark.parametrize("name", ["graph_url", "MSGRAPH_URL", "authority_url", "AZURE_AUTHORITY_HOST"])
def test_the_name_under_which_garbage_came_is_said(name: str) -> None:
    with pytest.raises(OptionError, match=f"^{name} is not the https address of a host$"):
        endpoints({name: "http://x.example"}, {name: "http://x.example"})


@pytest.mark.parametrize(
    ("options", "foreign"),
    [
        ({}, None),
        ({"graph_url": "https://graph.microsoft.us", "authority_url": "login.microsoftonline.com/"}, None),
        ({"graph_url": "https://graph.example"}, ("https://graph.example", "graph_url")),
        ({"authority_url": "login.example:444"}, ("https://login.example:444", "authority_url")),
        ({"graph_url": "https://graph.microsoft.com:444"}, ("https://graph.microsoft.com:444", "graph_url")),
        ({"graph_url": "https://graph.microsoft.com.example"}, ("https://graph.microsoft.com.example", "graph_url")),
    ],
)
def test_hosts_that_are_none_of_microsofts(options: dict[str, str], foreign: tuple[str, str] | None) -> None:
    assert [(host.value, host.source) for host in untrusted_hosts(options, {})] == ([foreign] if foreign else [])


@pytest.mark.parametrize(
    ("options", "environ", "own", "foreign"),
    [
        # The run's own hosts, repeated by an option or by the task, are the run's.
        ({"graph_url": "g.example"}, {"MSGRAPH_URL": "https://g.example/"}, {}, []),
        ({"authority_url": "https://e.example"}, {"AZURE_AUTHORITY_HOST": "e.example"}, {}, []),
        ({}, {"MSGRAPH_URL": "https://g.example"}, {"MSGRAPH_URL": "https://G.example"}, []),
        ({}, {"MSGRAPH_URL": "https://g.example"}, {}, []),
        # A host that is trusted with tokens is not trusted with secrets.
        ({"authority_url": "https://g.example"}, {"MSGRAPH_URL": "https://g.example"}, {}, ["authority_url"]),
        ({"graph_url": "https://g.example:444"}, {"MSGRAPH_URL": "https://g.example"}, {}, ["graph_url"]),
        ({"graph_url": "https://g.example"}, {"MSGRAPH_URL": "no address"}, {}, ["graph_url"]),
        # What a task's own environment names counts for what that gives, and for no more.
        ({}, {}, {"MSGRAPH_URL": "https://g.example"}, ["MSGRAPH_URL"]),
        ({}, {"MSGRAPH_URL": "https://g.example"}, {"MSGRAPH_URL": "https://evil.example"}, ["MSGRAPH_URL"]),
        ({"graph_url": "https://g.example"}, {}, {"MSGRAPH_URL": "g.example"}, ["MSGRAPH_URL"]),
        ({}, {}, {"MSGRAPH_URL": "https://graph.microsoft.com"}, []),
        ({}, {"MSGRAPH_URL": "https://g.example"}, {"MSGRAPH_URL": ""}, []),
        (
            {"graph_url": "https://g.example"},
            {},
            {"AZURE_AUTHORITY_HOST": "https://e.example"},
            ["AZURE_AUTHORITY_HOST", "graph_url"],
        ),
    ],
)
def test_who_names_a_host_that_is_none_of_microsofts(
    options: dict[str, str], environ: dict[str, str], own: dict[str, str], foreign: list[str]
) -> None:
    assert [host.source for host in untrusted_hosts(options, environ, own)] == foreign


def test_a_cloud_that_is_not_known() -> None:
    with pytest.raises(OptionError) as caught:
        endpoints({}, {"AZURE_CLOUD_ENVIRONMENT": "AzureGermanCloud"})
    assert caught.value.sentence() == (
        "AZURE_CLOUD_ENVIRONMENT is 'AzureGermanCloud', which is no cloud known here; use one of AzureCloud,"
        " AzureUSGovernment, AzureUSGovernmentDoD, AzureChinaCloud."
    )
