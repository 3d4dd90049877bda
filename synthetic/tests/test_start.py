"""The start of the command: a journey imports only the modules that it needs."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.synthetic.mock_api import MockApi, run_mock_api, write_call

# each one that is imported costs CPU time and memory in every run
UNNEEDED = {
    "aiohttp",
    "elementpath",
    "jsonpath_rfc9535",
    "kopf",
    "secrets",
    "ssl",
    "synthetic.completion",
    "synthetic.monitors",
    "synthetic.operator",
    "synthetic.probe.contract_checks",
    "synthetic.probe.download",
    "synthetic.probe.generators",
    "synthetic.probe.junit",
    "synthetic.probe.proxy",
    "synthetic.probe.redirects",
    "synthetic.probe.secret_inputs",
    "synthetic.probe.transport_options",
    "xml.etree.ElementTree",
}
PROGRAM = """
import json, sys
from synthetic.cli import main
main()
json.dump(sorted(sys.modules), sys.stderr)
"""


def test_a_journey_without_queries_inputs_and_tls_imports_nothing_for_them(tmp_path: Path) -> None:
    operation = {"responses": {"200": {"description": "d"}}}
    file = write_call(tmp_path, operation)
    with run_mock_api(MockApi()) as api:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "probe", str(file), "--url", api.url],
            env={n: v for n, v in os.environ.items() if not n.startswith("COVERAGE_PROCESS")},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    assert "passed" in done.stdout
    assert UNNEEDED & set(json.loads(done.stderr)) == set()
