"""Realm of a row or a caller: live data, or synthetic data of the monitors."""

from typing import Literal

Realm = Literal["live", "synthetic"]
