"""Check of custom journeys before their monitors are scheduled.

The documents come from users. Each check is a process of its own, with limits on its time and
memory, so that no document can stop the operator. It reads no URL, and of the operator's files
only the shipped contracts: the rest would be at the disposal of who writes a journey.
"""

import asyncio
import base64
import resource
import sys
import tempfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from synthetic.operator.api_client import ApiClient
from synthetic.operator.resources import CONFIG_MAPS, Object
from synthetic.operator.spec import Spec, SpecError
from synthetic.probe.catalog import require_shipped
from synthetic.probe.results import ProbeError

CHECK_SECONDS = 20.0
MEMORY_BYTES = 192 * 1024 * 1024
MAX_MISTAKE_LENGTH = 200
MAX_RESULTS = 2_000
PASSED, MISTAKES, NOT_CHECKED = 0, 1, 3  # exit codes of the check

_CheckKey = tuple[str, str, str, str]  # namespace, ConfigMap, its key, workflow


class JourneyChecker:
    """Runs `synthetic check` on journeys in ConfigMaps; each version is checked once."""

    def __init__(self, api: ApiClient) -> None:
        """Use the cluster of ``api``."""
        self._api = api
        self._results: OrderedDict[_CheckKey, tuple[str, str]] = OrderedDict()  # version, mistakes
        self._single = asyncio.Lock()  # the memory of one check at a time

    async def check(self, namespace: str, spec: Spec) -> None:
        """Check that a monitor's journey is shipped, or that its own one is valid.

        Raises:
            SpecError: the journey, the ConfigMap or its key does not exist, or it is invalid.
            ApiError: the API server rejected a request or is unavailable.

        """
        source = spec.journey_from
        if source is None:
            _require_shipped(spec.journey)
            return
        found = await self._api.get_metadata(CONFIG_MAPS, namespace, source.name)
        if found is None:
            raise _no_journey(f'configmap "{source.name}" not found', source.key)
        key = (namespace, source.name, source.key, spec.journey)
        version, mistakes = self._results.get(key, ("", ""))
        if version != found["metadata"]["resourceVersion"]:
            config_map = await self._api.get(CONFIG_MAPS, namespace, source.name)
            if config_map is None:
                raise _no_journey(f'configmap "{source.name}" not found', source.key)
            files = _files(config_map)
            if source.key not in files:
                raise _no_journey(f'configmap "{source.name}" has no key', source.key)
            async with self._single:
                mistakes = await _check(files, source.key, spec.journey)
            self._results[key] = config_map["metadata"]["resourceVersion"], mistakes
        self._results.move_to_end(key)
        if len(self._results) > MAX_RESULTS:
            self._results.popitem(last=False)
        if mistakes:
            raise SpecError("JourneyInvalid", f"The ConfigMap {source.name} has {mistakes}")


def _require_shipped(journey: str) -> None:
    try:
        require_shipped(journey)
    except ProbeError as error:
        raise SpecError("NoJourney", f"{error}; spec.journeyFrom refers to your own") from error


def _no_journey(problem: str, key: str) -> SpecError:
    return SpecError("NoJourney", f"{problem}; spec.journeyFrom needs it with the key {key}")


def _files(config_map: Object) -> dict[str, bytes]:
    """Return the content of a ConfigMap by key."""
    texts, binaries = config_map.get("data") or {}, config_map.get("binaryData") or {}
    return {name: text.encode() for name, text in texts.items()} | {
        name: base64.b64decode(text) for name, text in binaries.items()
    }


async def _check(files: dict[str, bytes], key: str, workflow: str) -> str:
    """Return the first mistake of a workflow and the number of the others, or nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / Path(file).name).write_bytes(content)
        status, output = await _run(folder, key, workflow)
    if status in {PASSED, NOT_CHECKED}:  # the probe may read other places
        return ""
    if status != MISTAKES or not output:  # killed, or without memory
        limit = f"{CHECK_SECONDS:g} s and {MEMORY_BYTES // 1024**2} MiB"
        return f"a document that was not checked within {limit}: {key}"
    first, *others = output.splitlines()[:-1] or [output.strip()]  # the last one counts them
    more = f" (and {len(others)} more)" if others else ""
    return f"a mistake: {first[:MAX_MISTAKE_LENGTH]}{more}"


async def _run(folder: Path, key: str, workflow: str) -> tuple[int | None, str]:
    """Run the check; return its exit code, None after the time limit, and its output."""
    process = await asyncio.create_subprocess_exec(
        # not -I, which ignores PYTHONPATH, where the image has the package
        *(sys.executable, "-P", "-s", "-m", "synthetic.cli", "check", "--confined"),
        *("--workflow", workflow, "--", key),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        with suppress(ProcessLookupError):  # it has ended already
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
        async with asyncio.timeout(CHECK_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        return None, ""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, output.decode(errors="replace")
