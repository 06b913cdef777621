"""URLs of shared counters: what they say, and what is wrong with one."""

import pytest

from server.redis_urls import SCHEMES, Address, is_shared, read
from server.settings import BadSettings, Settings
from server.urls import without_secrets

SECRET = "s3cr3t"


@pytest.mark.parametrize("name", ["redis", "valkey"])
@pytest.mark.parametrize(
    ("rest", "kind", "hosts", "more"),
    [
        ("://localhost", "single", [("localhost", 6379)], {}),
        ("://10.0.0.7:7000/3", "single", [("10.0.0.7", 7000)], {"database": 3}),
        ("://[::1]:7000/", "single", [("::1", 7000)], {}),
        ("s://h", "single", [("h", 6379)], {"tls": True}),
        (
            "://:pa%2Fss@h:1", "single", [("h", 1)], {"password": "pa/ss"},
        ),
        (
            "://weir:a%40b@h", "single", [("h", 6379)],
            {"username": "weir", "password": "a@b"},
        ),
        ("+unix:///run/redis%20x.sock", "unix", [], {"socket": "/run/redis x.sock"}),
        (
            "+sentinel://a:1,b/counters", "sentinel", [("a", 1), ("b", 26379)],
            {"service": "counters"},
        ),
        (
            "+sentinel://u:p@a/counters/2", "sentinel", [("a", 26379)],
            {"service": "counters", "database": 2, "username": "u", "password": "p"},
        ),
        ("+cluster://a:1,b:2,c", "cluster", [("a", 1), ("b", 2), ("c", 6379)], {}),
        ("s+cluster://a", "cluster", [("a", 6379)], {"tls": True}),
        ("+cluster://:p@a/0", "cluster", [("a", 6379)], {"password": "p"}),
    ],
)  # fmt: skip
def test_url_says_which_servers(name, rest, kind, hosts, more) -> None:
    url = name + rest

    assert is_shared(url)
    assert read(url) == Address(kind, without_secrets(url), tuple(hosts), **more)
    settings = Settings.from_env({"WEIR_COUNTERS_URL": url})
    assert settings.counters_url == url


def test_options_are_of_the_scheme() -> None:
    tls = read("rediss://h?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=none")
    sentinel = read("redis+sentinel://h/s?sentinel_password=x")

    assert tls.options == {"ssl_ca_certs": "/etc/ca.pem", "ssl_cert_reqs": "none"}
    assert sentinel.options == {"sentinel_password": "x"}


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "redis",
        "://",
        "://:{secret}@",
        "://@h",
        "://:{secret}@h:0",
        "://:{secret}@h:65536",
        "://:{secret}@h:port",
        "://:{secret}/x@h:6379",
        "://:{secret}#x@h:6379",
        "://:{secret}?x@h:6379",
        "://:{secret}@h/db",
        "://:{secret}@h/1/2",
        "://:{secret}@a,b",
        "://:{secret}@[::1",
        "://:{secret}@h\u2100",
        "://:{secret}@h?socket_timeout=5",
        "://h?password={secret}",
        "://:{secret}@h?ssl_ca_certs=x",
        "s://:{secret}@h?ssl_cert_reqs=maybe",
        "+unix://h/x",
        "+unix:///",
        "+sentinel://:{secret}@a,b",
        "+sentinel://:{secret}@a,,b/s",
        "+cluster://:{secret}@a,b/1",
        "+cluster://:{secret}@a,b/x",
        "s+unix:///x",
        "+ssl://:{secret}@h",
    ],
)
def test_mistake_names_the_variable_and_tells_no_secret(rest: str) -> None:
    url = "redis" + rest.replace("{secret}", SECRET)

    with pytest.raises(BadSettings, match=r"WEIR_COUNTERS_URL=.* needed") as caught:
        Settings.from_env({"WEIR_COUNTERS_URL": url})

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"redis://u:{SECRET}@h:6379/0",
        f"rediss+cluster://:{SECRET}@a:1,b:2",
        f"redis+sentinel://h/s?sentinel_password={SECRET}",
        f"redis+sentinel://h/s?sentinel_password={SECRET}@x",
        f"redis://u:{SECRET}@{SECRET}@h",
    ],
)
def test_secrets_are_not_shown(url: str) -> None:
    shown = without_secrets(url)

    assert SECRET not in shown
    assert shown.endswith(("h:6379/0", "a:1,b:2", "h/s", "h", "..."))
    settings = Settings(counters_url=url)
    assert SECRET not in repr(settings) + str(settings)
    if url.count("@") < 2:
        assert SECRET not in repr(read(url))


def test_other_urls_are_of_no_servers() -> None:
    for url in ("file:///x", "memory://", "postgresql://h/x", "redis:6379", ""):
        assert not is_shared(url)
        with pytest.raises(ValueError, match="is needed"):
            read(url)
    assert is_shared("REDIS://h")
    assert len(SCHEMES) == 14
