"""A password is found in an address, and an address without one is left alone."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.errors import InputError
from mmclf.storage.addresses import check_address, has_password
from mmclf.storage.tracking import Tracker

SECRET = "swordfish7"


@pytest.mark.parametrize(
    "address",
    [
        *("http://anna:swordfish7@host:5000", "https://anna:swordfish7@host/mlflow"),
        *("https://swordfish7@host", "https://:swordfish7@host", "http://anna:sword/fish7@host"),
        *("http:/anna:swordfish7@host", "HTTP://anna:swordfish7@host"),
        "http://anna%3Aswordfish7@host",
        "http%3A%2F%2Fanna%3Aswordfish7%40host",
        "http%253A%252F%252Fanna%253Aswordfish7%2540host",
        "http://anna\\:swordfish7\\@host",
        "postgresql://anna:swordfish7@host/db",
        "postgresql+psycopg2://anna:sword fish7@host/db",
        "postgresql://anna:sword/fish7@host/db",
        "mysql://:swordfish7@host/db",
        "postgresql:///db?host=h&user=anna&password=swordfish7",
        "postgresql://host/db?sslpassword=swordfish7",
        "postgresql://host/db?PASSWORD = swordfish7",
        "mysql://host/db?passwd=swordfish7&x=1",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3D%7Bx%7D%3BUID%3Danna%3BPWD%3Dswordfish7",
        "http://host/?access_token=swordfish7",
        "https://host/path?x=1&api_key=swordfish7",
        "tracking.uri='http://anna:swordfish7@host'",
        "http://anna:${pw}@host",
    ],
)
@pytest.mark.hostile("secrets")
def test_a_password_is_found(address: str) -> None:
    assert has_password(address)
    with pytest.raises(InputError, match=r"^tracking\.uri: .*MLFLOW_TRACKING_USERNAME") as caught:
        check_address("tracking.uri", address)
    assert SECRET not in str(caught.value)
    with pytest.raises(InputError):
        Tracker(address, "mmclf", Path("nowhere"))


@pytest.mark.parametrize(
    "address",
    [
        *("", "outputs", "anna:swordfish7", "anna@host", "sqlite:///outputs/mlflow.db"),
        *("http://127.0.0.1:5000", "https://host/a@b", "http://[::1]:5000/x", "http://host:5000/@"),
        *("postgresql://anna@host:5432/db", "postgresql:///db?passfile=/x&sslkey=y"),
        *("s3://bucket/key:part@x", "file:///C:/a@b", "abfss://box@account.dfs.core.windows.net/x"),
        *("sqlite:////home/a:b@c/mlflow.db", "sqlite:///x.db?cache=shared&timeout=5"),
        *("https://host/?tokenizer=x", "https://host/?page=2", "postgresql://anna:@host/db"),
        "http://host:5000/x?password=",
    ],
)
def test_without_one_an_address_is_left_alone(address: str) -> None:
    assert not has_password(address)
    check_address("tracking.uri", address)


WORDS = st.text("abcxyz019%:/?#[]@!$&'()*+,;= ", min_size=1, max_size=8)


@given(st.sampled_from(["http", "postgresql+psycopg2"]), WORDS, WORDS, st.integers(0, 3))
@pytest.mark.hostile("secrets")
def test_a_quoted_password_is_found_however_often_it_is_quoted(
    scheme: str, user: str, password: str, times: int
) -> None:
    address = f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@host/db"
    for _ in range(times):
        address = quote(address, safe="")
    assert has_password(address)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert has_password(text) in (True, False)
