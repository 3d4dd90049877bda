"""Check of custom journeys before their monitors are scheduled.

The documents come from users. Each check is a process of its own, with limits on its time and
memory, so that no document can stop the operator. It reads no URL, and of the operator's files
only the shipped contracts: the rest would be at the disposal of who writes a journey.
"""

import asyncio
import base64
import hashlib
import re
import resource
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from synthetic.operator.api_client import ApiClient
from synthetic.operator.resources import CONFIG_MAPS, Object
from synthetic.operator.spec import ObjectKey, Spec, SpecError
from synthetic.probe.catalog import require_shipped, shipped_file
from synthetic.probe.results import ProbeError

CHECK_SECONDS = 20.0
MEMORY_BYTES = 192 * 1024 * 1024
MAX_MISTAKE_LENGTH = 200
MAX_RESULTS = 2_000
PASSED, MISTAKES, NOT_CHECKED = 0, 1, 3  # exit codes of the check

FIELDS = {  # by the beginning of a mistake
    **dict.fromkeys(("there is no input", "the required input", "--input"), "spec.inputs: "),
    "--server": "spec.servers: ",
}
OPTION = re.compile(r"^--(input|server) ")

_CheckKey = tuple[str, ...]  # namespace, ConfigMap, its key, and a digest of the arguments


class JourneyChecker:
    """Runs `synthetic check` on journeys in ConfigMaps; each version is checked once."""

    def __init__(self, api: ApiClient) -> None:
        """Use the cluster of ``api``."""
        self._api = api
        self._results: OrderedDict[_CheckKey, tuple[str, str]] = OrderedDict()  # version, mistakes
        self._single = asyncio.Lock()  # the memory of one check at a time

    async def check(self, namespace: str, spec: Spec) -> None:
        """Check that a monitor's journey is shipped, or valid, and has its inputs and servers.

        Raises:
            SpecError: the journey, the ConfigMap or its key does not exist, or it is invalid.
            ApiError: the API server rejected a request or is unavailable.

        """
        source, arguments = spec.journey_from, _arguments(spec)
        if source is None:
            await self._check_shipped(spec, arguments)
            return
        found = await self._api.get_metadata(CONFIG_MAPS, namespace, source.name)
        if found is None:
            raise _no_journey(source)
        key = (namespace, source.name, source.key, _digest(arguments))
        version, mistakes = self._results.get(key, ("", ""))
        if version != found["metadata"]["resourceVersion"]:
            config_map = await self._api.get(CONFIG_MAPS, namespace, source.name)
            if config_map is None:
                raise _no_journey(source)
            files = _files(config_map)
            if source.key not in files:
                raise _no_journey(source, files)
            async with self._single:
                mistakes = await _check_files(files, source.key, arguments)
            self._remember(key, config_map["metadata"]["resourceVersion"], mistakes)
        self._results.move_to_end(key)
        _raise_for(mistakes, f"The ConfigMap {source.name} has a mistake: ")

    async def _check_shipped(self, spec: Spec, arguments: Sequence[str]) -> None:
        """Check the inputs and servers of a shipped journey, which is valid itself."""
        _require_shipped(spec.journey)
        if spec.inputs or spec.servers:
            file, key = shipped_file(spec.journey), ("", _digest(arguments))
            if key not in self._results:
                async with self._single:
                    self._remember(key, "", await _check(file.parent, file.name, arguments))
            _raise_for(self._results[key][1], f"The journey {spec.journey} has a mistake: ")

    def _remember(self, key: _CheckKey, version: str, mistakes: str) -> None:
        self._results[key] = version, mistakes
        if len(self._results) > MAX_RESULTS:
            self._results.popitem(last=False)


def _arguments(spec: Spec) -> list[str]:
    """Return the workflow, its inputs, and the names of its servers as arguments of the check."""
    inputs = [f"--input={name}={value}" for name, value in sorted(spec.inputs.items())]
    # the operator reads no values of Secrets, and thus no keys
    inputs.append("--no-required-inputs" if spec.inputs_from else "--required-inputs")
    servers = (f"--server={name}" for name in sorted(spec.servers))
    arguments = ["--workflow", spec.journey, *inputs, *servers]
    return [each.replace("\0", "\N{REPLACEMENT CHARACTER}") for each in arguments]


def _digest(arguments: Sequence[str]) -> str:
    """Return a short text for arguments, which may have thousands of characters."""
    return hashlib.sha256("\0".join(arguments).encode()).hexdigest()


def _raise_for(mistakes: str, beginning: str) -> None:
    """Raise ``SpecError`` for mistakes, which may be in fields of the spec."""
    if mistakes:
        fields = (field for start, field in FIELDS.items() if mistakes.startswith(start))
        message = f"{next(fields, beginning)}{OPTION.sub('', mistakes)}"
        raise SpecError("JourneyInvalid", message)


def _require_shipped(journey: str) -> None:
    try:
        require_shipped(journey)
    except ProbeError as error:
        message = f"spec.journey: {error}; spec.journeyFrom refers to your own"
        raise SpecError("NoJourney", message) from error


def _no_journey(source: ObjectKey, files: Iterable[str] | None = None) -> SpecError:
    """Return the error for a missing ConfigMap, or for one with other ``files``."""
    problem = f'configmap "{source.name}" not found: create it with the key {source.key}'
    if files is not None:
        found = ", ".join(sorted(files)) or "none"
        problem = f'configmap "{source.name}" has no key {source.key}; it has {found}: add it'
    return SpecError("NoJourney", f"{problem}, or correct spec.journeyFrom.configMapKeyRef")


def _files(config_map: Object) -> dict[str, bytes]:
    """Return the content of a ConfigMap by key."""
    texts, binaries = config_map.get("data") or {}, config_map.get("binaryData") or {}
    return {name: text.encode() for name, text in texts.items()} | {
        name: base64.b64decode(text) for name, text in binaries.items()
    }


async def _check_files(files: dict[str, bytes], key: str, arguments: Sequence[str]) -> str:
    """Return the first mistake in the files of a ConfigMap, as ``_check``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / Path(file).name).write_bytes(content)
        mistakes = await _check(folder, key, arguments)
    # the folder's name differs with each check
    return re.sub(rf"{re.escape(name)}/(\S+) is not a file", r"add \1 to the ConfigMap", mistakes)


async def _check(folder: Path, file: str, arguments: Sequence[str]) -> str:
    """Return the first mistake of a workflow and the number of the others, or nothing."""
    status, output = await _run(folder, file, arguments)
    if status in {PASSED, NOT_CHECKED}:  # the probe may read other places
        return ""
    if status != MISTAKES or not output:  # killed, or without memory
        limit = f"{CHECK_SECONDS:g} s and {MEMORY_BYTES // 1024**2} MiB"
        return f"{file} is not checked within {limit}: make it or its contracts smaller"
    first, *others = output.splitlines()[:-1] or [output.strip()]  # the last one counts them
    more = f" (and {len(others)} more)" if others else ""
    return f"{first[:MAX_MISTAKE_LENGTH]}{more}"


async def _run(folder: Path, file: str, arguments: Sequence[str]) -> tuple[int | None, str]:
    """Run the check; return its exit code, None after the time limit, and its output."""
    process = await asyncio.create_subprocess_exec(
        # not -I, which ignores PYTHONPATH, where the image has the package
        *(sys.executable, "-P", "-s", "-m", "synthetic.cli", "check", "--confined"),
        *(*arguments, "--", file),
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
