"""Settings: read once, all mistakes together."""

from datetime import timedelta
from pathlib import Path

import pytest

from server.settings import BadSettings, Settings

README = Path(__file__).parent.parent.parent / "README.md"


def test_nothing_set_is_one_machine_with_nothing_beside_it() -> None:
    settings = Settings.from_env({"PATH": "/bin", "WEIR_BIND": ""})

    state = Path.cwd() / "var"
    assert settings.state_dir == state
    assert settings.database_url == f"sqlite:///{state}/weir.db"
    assert settings.counters_url == f"file://{state}/counters"
    assert settings.files_url == f"file://{state}/files"
    assert settings.bind == "127.0.0.1:8000"
    assert settings.synchronous == "FULL"
    assert settings.counters_loss == "closed"
    assert settings.time_zone.utcoffset(None) == timedelta(hours=8)


def test_every_setting_is_read() -> None:
    settings = Settings.from_env(
        {
            "WEIR_STATE_DIR": "/srv/weir",
            "WEIR_DATABASE_URL": "sqlite:////data/chat.db",
            "WEIR_COUNTERS_URL": "file:///run/weir",
            "WEIR_FILES_URL": "file:///data/files",
            "WEIR_PUBLIC_URL": "https://chat.example.com/",
            "WEIR_TIME_ZONE": "-03:30",
            "WEIR_SYNCHRONOUS": "normal",
            "WEIR_HEAD_SECONDS": "5",
            "WEIR_BODY_SECONDS": "600",
            "WEIR_GUARD_CALLS": "20",
            "WEIR_COUNTERS_LOSS": "LOCAL",
            "WEIR_TRUSTED_PROXIES": "1",
            "WEIR_X_ACCEL": "/internal-files/",
            "WEIR_BIND": "unix:/run/weir.sock",
            "WEIR_WORKERS": "3",
            "WEIR_THREADS": "32",
            "WEIR_LOG_LEVEL": "Warning",
            "WEIR_SHADOW_TABLE": "/srv/weir/proposed.md",
            "WEIR_LOG_FORMAT": "JSON",
            "WEIR_ACCESS_LOG": "/var/log/weir.log",
            "WEIR_METRICS_TOKEN": "a-long-enough-token",
        }
    )

    assert settings == Settings(
        state_dir=Path("/srv/weir"),
        database_url="sqlite:////data/chat.db",
        counters_url="file:///run/weir",
        files_url="file:///data/files",
        public_url="https://chat.example.com",
        time_zone=settings.time_zone,
        synchronous="NORMAL",
        head_seconds=5,
        body_seconds=600,
        guard_calls=20,
        counters_loss="local",
        trusted_proxies=1,
        x_accel="/internal-files/",
        bind="unix:/run/weir.sock",
        workers=3,
        threads=32,
        log_level="warning",
        shadow_table=Path("/srv/weir/proposed.md"),
        log_format="json",
        access_log="/var/log/weir.log",
        metrics_token="a-long-enough-token",
    )
    assert settings.time_zone.utcoffset(None) == timedelta(hours=-3, minutes=-30)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "sqlite://relative.db"),
        ("DATABASE_URL", "/srv/weir.db"),
        ("DATABASE_URL", "mysql://weir@db.example/weir"),
        ("COUNTERS_URL", "file://relative"),
        ("COUNTERS_URL", "memcached://x"),
        ("FILES_URL", "s3://"),
        ("FILES_URL", "s3:///no-bucket"),
        ("FILES_URL", "gs://bucket"),
        ("PUBLIC_URL", "chat.example.com"),
        ("PUBLIC_URL", "ftp://chat.example.com"),
        ("PUBLIC_URL", "https://chat.example.com/?x=1"),
        ("TIME_ZONE", "+25:00"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("TIME_ZONE", "../../etc/passwd"),
        ("SYNCHRONOUS", "OFF"),
        ("HEAD_SECONDS", "0"),
        ("BODY_SECONDS", "1m"),
        ("GUARD_CALLS", "0"),
        ("GUARD_CALLS", "1e3"),
        ("GUARD_CALLS", "²"),
        ("COUNTERS_LOSS", "open"),
        ("TRUSTED_PROXIES", "-1"),
        ("BIND", "nowhere"),
        ("WORKERS", "99999999999"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("METRICS_TOKEN", "too-short"),
        ("METRICS_TOKEN", "long enough but spaced"),
        ("METRICS_TOKEN", "x" * 513),
    ],
)
def test_a_mistake_names_the_variable_and_what_is_needed(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=f"WEIR_{name}=.*needed"):
        Settings.from_env({f"WEIR_{name}": value})


def test_a_secret_is_shown_by_nobody() -> None:
    settings = Settings.from_env({"WEIR_METRICS_TOKEN": "a-long-enough-token"})

    assert "a-long-enough-token" not in repr(settings)
    with pytest.raises(BadSettings) as caught:
        Settings.from_env({"WEIR_METRICS_TOKEN": "short-one"})
    assert "short-one" not in str(caught.value)


def test_a_bucket_without_a_slash_at_the_end() -> None:
    settings = Settings.from_env({"WEIR_FILES_URL": "s3://chat-files/weir/"})

    assert settings.files_url == "s3://chat-files/weir"


@pytest.mark.parametrize(
    "url", ["s3://key:hush@bucket/x", "s3://bucket/x?secret=hush", "s3://bucket#hush"]
)
def test_credentials_of_a_bucket_are_not_in_its_url_nor_in_the_message(
    url: str,
) -> None:
    with pytest.raises(BadSettings, match=r"AWS_\* variables") as caught:
        Settings.from_env({"WEIR_FILES_URL": url})

    assert "hush" not in str(caught.value)


def test_nginx_has_no_files_of_a_bucket() -> None:
    with pytest.raises(BadSettings, match=r"WEIR_X_ACCEL.*WEIR_FILES_URL=s3://"):
        Settings.from_env(
            {"WEIR_FILES_URL": "s3://bucket", "WEIR_X_ACCEL": "/internal-files/"}
        )


def test_all_mistakes_are_told_together() -> None:
    with pytest.raises(BadSettings) as caught:
        Settings.from_env(
            {
                "WEIR_WORKERS": "x",
                "WEIR_DATABSE_URL": "sqlite:///x",
                "WEIR_THREADS": "0",
            }
        )

    assert len(caught.value.mistakes) == 3
    assert "WEIR_DATABSE_URL: no such setting; did you mean WEIR_DATABASE_URL?" in str(
        caught.value
    )


def test_readme_documents_every_setting() -> None:
    fields = Settings.__dataclass_fields__

    told = README.read_text()

    assert [name for name in fields if f"`WEIR_{name.upper()}`" not in told] == []


def test_a_password_in_a_url_is_never_shown() -> None:
    url = "postgresql://weir:secret@db.example/weir?sslmode=require&password=secret"

    assert "secret" not in repr(Settings(database_url=url))
    with pytest.raises(BadSettings) as wrong:
        Settings.from_env({"WEIR_DATABASE_URL": url.replace("postgresql", "mysql")})
    assert "secret" not in str(wrong.value)
    assert "'mysql://db.example/weir'" in str(wrong.value)


@pytest.mark.parametrize(
    "meant",
    ["postgresql:/weir:secret@h/x", "weir:secret@h", "postgresql:?password=secret",
     "mysql://weir:se#cret@h/x", "mysql://h/x#secret@h"],
)  # fmt: skip
def test_a_password_is_not_shown_of_what_is_hardly_a_url(meant: str) -> None:
    with pytest.raises(BadSettings, match="is needed") as wrong:
        Settings.from_env({"WEIR_DATABASE_URL": meant})

    assert "cret" not in str(wrong.value)
