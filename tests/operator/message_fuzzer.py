"""Random termination messages that no probe writes, but an attacker could."""

import json
import random
from typing import Any

KEYS = (
    *("v", "result", "step", "reason", "status", "attempt", "durationMs", "traceId"),
    *("detail", "evidence", "certificateExpiry", "steps"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0.5, 2**31, 2**70, 10**400, [], {"a": {}}),
    *("", "passed", "running", "error", "<b>", "../..", "two\nlines", "\0", "\ud800", "é" * 500),
    *("dns", "2026-02-31T00:00:00Z", "9999-12-31T23:59:59Z"),
    {"left": "\0", "right": "é" * 999, "keyword": []},
    [["s" * 65, 1, 200, 1, 1, 1, 1], ["a", -1, None, 2**70, "", [], {}], ["a b"], [], None],
    [["a", 812.5, 200, 0.4, 0.2, 0, 811.9]],
)
VALID = {"v": 1, "step": "createClient", "attempt": 1, "durationMs": 812, "traceId": "0" * 31 + "1"}
MAX_DEPTH = 2_000
MAX_LENGTH = 5_000  # characters; a kubelet keeps fewer


def random_message(rng: random.Random) -> str:
    """Return random characters, or JSON that is invalid, truncated, deep, long or wrong."""
    match rng.randrange(6):
        case 0:
            points = (rng.randrange(0xD7FF) for _ in range(rng.randrange(1, 1000)))
            return "".join(map(chr, points))
        case 1:
            return json.dumps({"v": 1, **{key: rng.choice(VALUES) for key in KEYS[1:]}})
        case 2:
            text = json.dumps({key: rng.choice(VALUES) for key in KEYS})
            return text[: rng.randrange(1, len(text))]
        case 3:
            return rng.choice(("[", '{"v":', '{"v":1,"result":[')) * rng.randrange(1, MAX_DEPTH)
        case 4:
            return json.dumps(
                {**VALID, "result": "failed", "step": "x" * rng.randrange(MAX_LENGTH)}
            )
        case _:
            claimed = rng.choice(("passed", "failed", "error", "running"))
            return json.dumps({**VALID, "result": claimed, rng.choice(KEYS): rng.choice(VALUES)})
