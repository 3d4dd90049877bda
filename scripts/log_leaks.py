"""Search the logs of a test run for personal data and secrets that the tests sent.

The test clients write CPFs, e-mail addresses, passwords, tokens and query values to
``secrets-*.jsonl``, one JSON string a line. The logs are ``*.log`` in the same folder.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

MIN_LENGTH = 8  # characters; shorter values match by chance
MIN_DISTINCT = 4  # different characters, or a value of zeros would match any identifier


def main() -> int:
    """Print each leak; return 1 when there is one, or when there are no secrets or logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with the logs and secrets of the run")
    folder = parser.parse_args().folder
    secrets = {encoding for secret in read_secrets(folder) for encoding in encodings(secret)}
    logs = sorted(folder.glob("*.log"))
    hits = [
        f"{path.name}: {line}" for path in logs for line in find_leaks(path.read_text(), secrets)
    ]
    size = sum(path.stat().st_size for path in logs)
    print("\n".join(hits))
    print(f"log leaks: {len(secrets)} secrets, {size / 1e6:.1f} MB of logs, {len(hits)} hits")
    return 0 if secrets and size and not hits else 1


def read_secrets(folder: Path) -> Iterator[str]:
    """Yield every secret that is long and varied enough not to match by chance."""
    for path in folder.glob("secrets-*.jsonl"):
        for line in path.read_text().splitlines():
            secret = json.loads(line)
            if len(secret) >= MIN_LENGTH and len(set(secret)) >= MIN_DISTINCT:
                yield secret


def encodings(secret: str) -> set[str]:
    """Return a secret in each encoding: plain, JSON, URL, without punctuation."""
    digits = secret.replace(".", "").replace("-", "")
    bare = {digits} if digits.isdecimal() and len(digits) >= MIN_LENGTH else set()
    return {secret, json.dumps(secret)[1:-1], quote(secret), *bare}


def find_leaks(text: str, secrets: set[str]) -> Iterator[str]:
    """Yield each line that contains a secret; the index has the first characters of each secret."""
    index: dict[str, list[str]] = defaultdict(list)
    for secret in secrets:
        index[secret[:MIN_LENGTH]].append(secret)
    for line in set(text.splitlines()):
        starts = (line[i : i + MIN_LENGTH] for i in range(len(line)))
        if any(secret in line for start in starts for secret in index.get(start, ())):
            yield line[:300]


if __name__ == "__main__":
    sys.exit(main())
