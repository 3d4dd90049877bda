"""What a probe never says, and whoever gets hold of its termination message may."""

import json
import random
from typing import Any

KEYS = ("v", "result", "step", "reason", "status", "attempt", "durationMs", "traceId")
WORDS: tuple[Any, ...] = (
    *(None, True, -1, 0.5, 2**31, 2**70, 10**400, [], {"a": {}}),
    *("", "passed", "running", "error", "<b>", "../..", "two\nlines", "\0", "\ud800", "é" * 500),
)
TRUE = {"v": 1, "step": "createClient", "attempt": 1, "durationMs": 812, "traceId": "0" * 31 + "1"}
DEEPEST = 2_000
LONGEST = 5_000  # characters: more than a kubelet keeps


def random_message(chance: random.Random) -> str:
    """Return any characters, JSON that makes no sense, is cut, deep or long, or a lie."""
    match chance.randrange(6):
        case 0:
            points = (chance.randrange(0xD7FF) for _ in range(chance.randrange(1, 1000)))
            return "".join(map(chr, points))
        case 1:
            return json.dumps({"v": 1, **{key: chance.choice(WORDS) for key in KEYS[1:]}})
        case 2:
            text = json.dumps({key: chance.choice(WORDS) for key in KEYS})
            return text[: chance.randrange(1, len(text))]
        case 3:
            return chance.choice(("[", '{"v":', '{"v":1,"result":[')) * chance.randrange(1, DEEPEST)
        case 4:
            return json.dumps({**TRUE, "result": "failed", "step": "x" * chance.randrange(LONGEST)})
        case _:
            claimed = chance.choice(("passed", "failed", "error", "running"))
            return json.dumps(
                {**TRUE, "result": claimed, chance.choice(KEYS): chance.choice(WORDS)}
            )
