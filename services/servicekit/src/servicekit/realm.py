"""The realm of a row or a caller: live data, or the monitors' own."""

from typing import Literal

Realm = Literal["live", "synthetic"]
