"""Generators of inputs: values that differ in each run."""

import base64
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from synthetic.probe.masking import MASK
from synthetic.probe.results import ProbeError

MAX_INTEGER = 2**31 - 1
MAX_WORDS = 100
CNPJ_WEIGHTS = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VOCABULARY = (
    "amber anchor autumn basket beacon bridge bronze canyon castle cedar circle cobalt copper "
    "coral cotton crystal desert ember falcon feather forest garden glacier granite harbor "
    "hazel island ivory jasmine juniper kettle lantern lemon linen lotus maple marble meadow "
    "mirror mountain nectar nickel ocean olive orchid otter paper pebble pepper planet prairie "
    "quartz rabbit river saffron salmon shadow silver sparrow spruce summit sunset thunder "
    "timber tulip valley velvet violet walnut willow winter "
)
WORDS = tuple(_VOCABULARY.split())
_OFFSET = re.compile(r"([+-])(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Generator:
    """A generator; ``arguments`` is how they are written after its name."""

    generate: Callable[..., Any]  # the values of the other inputs, then its arguments as text
    most: int = 0  # arguments
    arguments: str = ""


def _cpf(_: Values) -> str:
    from validate_docbr import CPF  # noqa: PLC0415 - few journeys need one

    return str(CPF().generate(mask=True))


def _cnpj(_: Values, characters: str = "0123456789") -> str:
    """Return a CNPJ; the check digits are those of the alphanumeric CNPJ (IN RFB 2.229/2024)."""
    base = "".join(secrets.choice(characters) for _ in range(12))
    while base == base[0] * 12:
        base = "".join(secrets.choice(characters) for _ in range(12))
    for _digit in range(2):
        weights = CNPJ_WEIGHTS[-len(base) :]
        rest = sum((ord(c) - 48) * weight for c, weight in zip(base, weights, strict=True)) % 11
        base += str(0 if rest < 2 else 11 - rest)  # noqa: PLR2004 - modulo 11
    return f"{base[:2]}.{base[2:5]}.{base[5:8]}/{base[8:12]}-{base[12:]}"


def _cep(_: Values) -> str:
    number = 1_000_000 + secrets.randbelow(99_000_000)  # 01000-000 is the lowest one
    return f"{number // 1000:05}-{number % 1000:03}"


def _integer(_: Values, lowest: str = "0", highest: str = str(MAX_INTEGER)) -> int:
    first, last = int(lowest), int(highest)
    if first > last:
        raise ValueError(f"{first} is larger than {last}")
    return first + secrets.randbelow(last - first + 1)


def _date_time(_: Values, offset: str = "+0s") -> str:
    """Return a moment in UTC relative to now (RFC 3339)."""
    match = _OFFSET.fullmatch(offset)
    if match is None:
        raise ValueError(f"{offset} is not an offset")
    sign, amount, unit = match.groups()
    moment = datetime.now(UTC) + timedelta(**{_UNITS[unit]: int(f"{sign}{amount}")})
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _words(_: Values, count: str = "4") -> str:
    if not 0 < int(count) <= MAX_WORDS:
        raise ValueError(f"{count} is not between 1 and {MAX_WORDS}")
    return " ".join(secrets.choice(WORDS) for _ in range(int(count)))


def _password(_: Values) -> str:
    password = secrets.token_urlsafe(16)
    MASK.add(password)
    return password


def _basic(values: Values) -> str:
    """Return the credentials of HTTP Basic (RFC 7617), without the scheme."""
    encoded = base64.b64encode(f"{values['username']}:{values['password']}".encode()).decode()
    MASK.add(encoded)
    return encoded


def _uuid(_: Values) -> str:
    import uuid  # noqa: PLC0415 - few journeys need one

    return str(uuid.uuid4())


GENERATORS: Mapping[str, Generator] = {
    "cpf": Generator(_cpf),
    "cnpj": Generator(_cnpj),
    "cnpj-alphanumeric": Generator(lambda values: _cnpj(values, ALPHANUMERIC)),
    "cep": Generator(_cep),
    "email": Generator(lambda _: f"probe-{secrets.token_hex(8)}@example.invalid"),
    "name": Generator(lambda _: f"Probe {secrets.token_hex(8)}"),
    "username": Generator(lambda _: f"probe-{secrets.token_hex(8)}"),
    "password": Generator(_password),
    "basic": Generator(_basic),
    "uuid": Generator(_uuid),
    "integer": Generator(_integer, 2, "[MINIMUM MAXIMUM]"),
    "date-time": Generator(_date_time, 1, "[+2h]"),
    "words": Generator(_words, 1, "[COUNT]"),
}


def generator_problem(text: Any, inputs: Mapping[str, Any]) -> str:  # noqa: ANN401 - any JSON
    """Return what is wrong with a generator such as ``integer 1 9``, or an empty text.

    ``inputs`` are the declared inputs by name.
    """
    name, *arguments = str(text).split() or [""]
    generator = GENERATORS.get(name)
    if generator is None:
        return f"x-generate is one of {' '.join(GENERATORS)}"
    if name == "basic" and not {"username", "password"} <= inputs.keys():
        return "x-generate: basic needs the inputs username and password"
    usage = f"x-generate is written as {name} {generator.arguments}".rstrip()
    if len(arguments) > generator.most:
        return usage
    if name != "basic":
        try:
            generator.generate({}, *arguments)
        except (ValueError, OverflowError):
            return usage
    return ""


def generate(text: str, values: Values) -> Any:  # noqa: ANN401 - any JSON
    """Return a value for a generator such as ``integer 1 9``.

    Raises:
        ProbeError: the generator is invalid.

    """
    name, *arguments = text.split()
    try:
        return GENERATORS[name].generate(values, *arguments)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise ProbeError(f"x-generate: {text} is invalid") from error
