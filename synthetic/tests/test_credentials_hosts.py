"""Hosts that may receive the probe's credentials."""

from pathlib import Path

import pytest

from synthetic.probe.credentials import HOSTS_VARIABLE, read_credentials


@pytest.mark.parametrize(
    ("hosts", "host", "is_allowed"),
    [
        (None, "any.example", True),
        ("", "shop.example", False),
        ("shop.example", "shop.example", True),
        ("shop.example", "SHOP.example", True),
        ("shop.example", "shop.example.evil", False),
        ("a.example,Shop.Example", "shop.example", True),
        ("*", "any.example", True),
    ],
)
def test_the_environment_restricts_the_hosts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hosts: str | None,
    host: str,
    is_allowed: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    (tmp_path / "client-secret").write_text("x")
    if hosts is not None:
        monkeypatch.setenv(HOSTS_VARIABLE, hosts)
    assert read_credentials(tmp_path).allows(host) is is_allowed
