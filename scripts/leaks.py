"""Looks through all that a test run has logged for what it sent and no log may hold.

The senders have noted CPFs, e-mails, passwords, tokens and query values, one JSON string a line,
in ``secrets-*.jsonl``; what was logged is in ``*.log`` beside them.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

SHORTEST = 8  # characters; less than that is found anywhere
DISTINCT = 4  # different characters at least, or zeros would be found in any id


def main() -> int:
    """Print where secrets were found, and return 1 when there are any, or nothing to look at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the run has left its logs and secrets")
    folder = parser.parse_args().folder
    secrets = {form for secret in read(folder) for form in forms(secret)}
    logs = sorted(folder.glob("*.log"))
    hits = [f"{path.name}: {line}" for path in logs for line in leaks(path.read_text(), secrets)]
    size = sum(path.stat().st_size for path in logs)
    print("\n".join(hits))
    print(f"leaks: {len(secrets)} secrets, {size / 1e6:.1f} MB of logs, {len(hits)} hits")
    return 0 if secrets and size and not hits else 1


def read(folder: Path) -> Iterator[str]:
    """Yield every secret that is long enough to be told from anything else."""
    for path in folder.glob("secrets-*.jsonl"):
        for line in path.read_text().splitlines():
            secret = json.loads(line)
            if len(secret) >= SHORTEST and len(set(secret)) >= DISTINCT:
                yield secret


def forms(secret: str) -> set[str]:
    """Return a secret as it may be written: plain, escaped, in a URL, without punctuation."""
    digits = secret.replace(".", "").replace("-", "")
    bare = {digits} if digits.isdecimal() and len(digits) >= SHORTEST else set()
    return {secret, json.dumps(secret)[1:-1], quote(secret), *bare}


def leaks(text: str, secrets: set[str]) -> Iterator[str]:
    """Yield each line with a secret in it; the first letters of all secrets are the index."""
    index: dict[str, list[str]] = defaultdict(list)
    for secret in secrets:
        index[secret[:SHORTEST]].append(secret)
    for line in set(text.splitlines()):
        starts = (line[i : i + SHORTEST] for i in range(len(line)))
        if any(secret in line for start in starts for secret in index.get(start, ())):
            yield line[:300]


if __name__ == "__main__":
    sys.exit(main())
