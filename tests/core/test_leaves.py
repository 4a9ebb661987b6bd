"""Every C leaf against a slow oracle of the standard library, on random and on chosen input."""

import itertools
import json
import math
import random
import re
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastrouter.core.leaves import (
    Intern,
    escape_json,
    format_double,
    format_int,
    glob_match,
    iso8601,
    iso8601_short,
    ms_text,
    ns_to_ms,
    parse_iso8601,
    split_topic,
    symbol_valid,
    utf8_valid,
)
from fastrouter.errors import EventError

untimed = settings(deadline=None, max_examples=200)

SCALES = range(16)
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# ---------------------------------------------------------------------------
# Doubles


def ecma(value: float) -> str:
    """ECMA-262 Number::toString, laid out from the digits of `repr`."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    k, n = len(text), len(text) + exponent
    if k <= n <= 21:
        body = text + "0" * (n - k)
    elif 0 < n <= 21:
        body = text[:n] + "." + text[n:]
    elif -6 < n <= 0:
        body = "0." + "0" * -n + text
    else:
        mantissa = text if k == 1 else text[0] + "." + text[1:]
        body = f"{mantissa}e{n - 1:+d}"
    return "-" * sign + body


def check_double(value: float, scales=SCALES) -> None:
    expected = ecma(value)
    assert float(expected) == value
    assert json.loads(expected, parse_int=float) == value
    for scale in scales:
        assert format_double(value, scale=scale) == expected, (value.hex(), scale)
        if value:
            assert format_double(-value, scale=scale) == ecma(-value), (value.hex(), scale)


def from_bits(bits: int) -> float:
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def and_neighbours(value: float) -> tuple[float, float, float]:
    return value, math.nextafter(value, math.inf), math.nextafter(value, -math.inf)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # from the notes and examples of ECMA-262 and from RFC 8785, appendix B
        (0.0, "0"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (100.0, "100"),
        (-1.5, "-1.5"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (999999999999999700000.0, "999999999999999700000"),
        (999999999999999900000.0, "999999999999999900000"),
        (1e23, "1e+23"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (333333333.33333329, "333333333.3333333"),
        (1424953923781206.2, "1424953923781206.2"),
    ],
)
def test_double_examples(value, text):
    assert ecma(value) == text
    for scale in SCALES:
        assert format_double(value, scale=scale) == text


def test_double_random_bits():
    rng = random.Random(1)
    for i in range(20_000):
        value = from_bits(rng.getrandbits(64))
        if math.isfinite(value):
            check_double(abs(value), (0, i % 16))


def test_double_random_magnitudes_that_prices_have():
    rng = random.Random(2)
    for i in range(20_000):
        check_double(rng.random() * 10 ** rng.randint(-9, 18), (2, i % 16))


def test_double_every_power():
    for value in [2.0**e for e in range(-1074, 1024)] + [float(f"1e{e}") for e in range(-323, 309)]:
        for near in and_neighbours(value):
            if math.isfinite(near):
                check_double(abs(near), (0, 8, 15))


def test_double_denormals():
    rng = random.Random(3)
    for bits in [1, 2, 3, 2**52 - 1, 2**52, *(rng.getrandbits(52) for _ in range(500))]:
        check_double(from_bits(bits), (0, 15))


def test_double_decimal_ticks_and_their_neighbours():
    """Each number of decimals, each hint; one unit in the last place beside a tick is no tick."""
    rng = random.Random(4)
    for decimals in range(20):
        for digits in range(1, 18):
            for _ in range(2):
                number = rng.randrange(10 ** (digits - 1), 10**digits)
                for value in and_neighbours(float(f"{number}e-{decimals}")):
                    check_double(value)


def test_double_trailing_zeros_and_nines():
    for decimals, whole in itertools.product(range(1, 16), (0, 1, 9, 10, 99_999_999, 100_000_000)):
        for tail in ("9" * decimals, "0" * (decimals - 1) + "1", "1" + "0" * (decimals - 1)):
            check_double(float(f"{whole}.{tail}"))


@pytest.mark.parametrize(
    "pivot", [10**7, 10**8, 10**14, 10**15, 10**16, 2**50, 2**52, 2**53, 2**63]
)
def test_double_integers_around(pivot):
    for offset in range(-20, 21):
        check_double(float(pivot + offset))
        check_double(pivot + offset / 4)


@pytest.mark.parametrize("pivot", [1e-6, 1e-7, 1e21, 1e15, 1e22, 1e-15, 1.0])
def test_double_beside_a_change_of_notation(pivot):
    value = pivot
    for _ in range(30):
        value = math.nextafter(value, 0.0)
    for _ in range(60):
        check_double(value)
        value = math.nextafter(value, math.inf)


@untimed
@given(st.floats(allow_nan=False, allow_infinity=False, min_value=0), st.sampled_from(SCALES))
def test_double_any(value, scale):
    check_double(value, (scale,))


@untimed
@given(st.integers(0, 10**18), st.integers(0, 20), st.sampled_from(SCALES))
def test_double_any_decimal(number, decimals, scale):
    check_double(float(f"{number}e-{decimals}"), (scale,))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, from_bits(0xFFF8000000000001)])
def test_double_refuses_what_json_cannot_say(value):
    with pytest.raises(EventError, match="not a finite number"):
        format_double(value)


@pytest.mark.parametrize("scale", [-1, 16])
def test_double_refuses_a_scale_that_is_none(scale):
    with pytest.raises(ValueError, match=r"0\.\.15"):
        format_double(1.0, scale=scale)


# ---------------------------------------------------------------------------
# Integers


def test_int_extremes_and_powers():
    pivots = [0, INT64_MIN, INT64_MAX, 2**64 - 1, *(10**e for e in range(20))]
    pivots += [2**e for e in range(64)]
    for pivot, offset in itertools.product(pivots, (-2, -1, 0, 1, 2)):
        for value in (pivot + offset, -pivot + offset):
            if INT64_MIN <= value < 2**64:
                assert format_int(value) == str(value)


@untimed
@given(st.integers(INT64_MIN, 2**64 - 1))
def test_int_any(value):
    assert format_int(value) == str(value)


def test_int_every_small_and_many_of_eight_digits():
    rng = random.Random(5)
    for value in itertools.chain(range(11_000), (rng.randrange(10**8) for _ in range(20_000))):
        assert format_int(value) == str(value)


@pytest.mark.parametrize("value", [2**64, INT64_MIN - 1])
def test_int_refuses_more_than_64_bits(value):
    with pytest.raises(OverflowError):
        format_int(value)


def test_int_refuses_a_float():
    with pytest.raises(TypeError):
        format_int(1.5)


# ---------------------------------------------------------------------------
# Time


def iso_oracle(ns: int) -> str:
    moment = EPOCH + timedelta(microseconds=ns // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def ns_of(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


TIMES = [
    *(INT64_MIN, INT64_MIN + 1, INT64_MAX, -1, 0, 1, 999, 1000, -999, -1000, -1001),
    *(10**9 - 1, 10**9, -(10**9), -(10**9) - 1, 951_782_400 * 10**9 - 1, 951_782_400 * 10**9),
]


@pytest.mark.parametrize("ns", TIMES)
def test_iso8601_corners(ns):
    assert iso8601(ns) == iso_oracle(ns)
    assert iso8601_short(ns) == iso_oracle(ns).replace(".000000Z", "Z")
    assert ns_to_ms(ns) == ns // 10**6
    assert ms_text(ns) == str(ns // 10**6)


@untimed
@given(st.integers(INT64_MIN, INT64_MAX))
def test_iso8601_any(ns):
    assert iso8601(ns) == iso_oracle(ns)
    assert iso8601_short(ns) == iso_oracle(ns).replace(".000000Z", "Z")
    assert ns_to_ms(ns) == ns // 10**6
    assert ms_text(ns) == str(ns // 10**6)


def test_iso8601_every_day_of_four_centuries():
    for day in range(-106_000, 106_000, 3):
        ns = day * 86_400 * 10**9 + day % 1000 * 1000
        assert iso8601(ns) == iso_oracle(ns)


@untimed
@given(st.integers(-9 * 10**9, 9 * 10**9), st.integers(0, 2000))
def test_a_fraction_that_is_zero_is_left_out(second, ns):
    time = second * 10**9 + ns
    assert iso8601_short(time) == iso_oracle(time).replace(".000000Z", "Z")


def test_iso8601_forth_and_back_over_a_second():
    """The second's text is kept between calls: it must follow every change, also backwards."""
    rng = random.Random(6)
    ns = 1_735_689_600 * 10**9
    for _ in range(20_000):
        ns += rng.choice((1, 1000, 10**6, -(10**6), 10**9, -(10**9), 300 * 10**6))
        assert iso8601(ns) == iso_oracle(ns)


def test_iso8601_first_call_at_the_epoch():
    """An empty cache (all zeros) must not pass for the text of second 0."""
    code = "from fastrouter.core.leaves import iso8601; print(iso8601(0))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1970-01-01T00:00:00.000000Z\n"


@untimed
@given(
    st.datetimes(datetime(1678, 1, 1), datetime(2262, 1, 1)),
    st.integers(0, 9),
    st.integers(0, 999),
    st.integers(-1439, 1439),
    st.sampled_from("T "),
)
def test_parse_iso8601_any(naive, digits, sub_micro, offset, separator):
    fraction = f"{naive.microsecond:06}{sub_micro:03}"[:digits]
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    zone = f"{sign}{minutes // 60:02}:{minutes % 60:02}" if offset else "Z"
    text = naive.strftime(f"%Y-%m-%d{separator}%H:%M:%S")
    text += ("." + fraction if digits else "") + zone
    whole = naive.replace(microsecond=0, tzinfo=UTC) - timedelta(minutes=offset)
    expected = ns_of(whole) + int(fraction.ljust(9, "0") or 0)
    assert parse_iso8601(text) == expected
    assert parse_iso8601(text.encode()) == expected


@untimed
@given(st.integers(INT64_MIN // 1000 + 1, INT64_MAX // 1000))
def test_parse_iso8601_reads_what_is_written(micros):
    assert parse_iso8601(iso8601(micros * 1000)) == micros * 1000


SHAPE = re.compile(
    r"\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):\d\d:\d\d(\.\d{1,9})?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


def parse_oracle(text: str) -> int | None:
    """`datetime.fromisoformat`, which accepts more, held to our shape; None: refused."""
    shape = SHAPE.fullmatch(text)
    if shape is None:
        return None
    fraction = shape[1] or ""
    try:
        moment = datetime.fromisoformat(text.replace(fraction, "", 1))
    except ValueError:
        return None
    ns = ns_of(moment) + int(fraction[1:].ljust(9, "0") or 0)
    return ns if INT64_MIN <= ns <= INT64_MAX else None


def check_parse(text: str) -> None:
    expected = parse_oracle(text)
    if expected is not None:
        assert parse_iso8601(text) == expected, text
    else:
        with pytest.raises(ValueError, match="is not a time; allowed: YYYY-MM-DD"):
            parse_iso8601(text)


def test_parse_iso8601_damaged():
    rng = random.Random(7)
    sound = [
        "2025-01-01T00:00:00Z",
        "2024-02-29T23:59:59.123456789Z",
        "1999-12-31 12:30:45.5+05:30",
        "1969-12-31T23:59:59.999-23:59",
    ]
    for _ in range(20_000):
        text = list(rng.choice(sound))
        for _ in range(rng.randint(1, 2)):
            at = rng.randrange(len(text))
            text[at : at + rng.choice((0, 1, 1, 1, 1))] = rng.choice("0123456789-:.+TZ t\0é")
        check_parse("".join(text[: rng.choice((99, 99, 99, rng.randint(0, 30)))]))


def test_parse_iso8601_every_month_and_day():
    for year, month, day in itertools.product((1700, 1900, 2000, 2023, 2024), range(14), range(33)):
        check_parse(f"{year}-{month:02}-{day:02}T00:00:00Z")


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1677-09-21T00:12:43.145224192Z", INT64_MIN),
        ("1677-09-21T00:12:43.145224191Z", None),
        ("1677-09-21T00:12:43Z", None),
        ("1677-09-20T23:12:43.145224192-01:00", INT64_MIN),
        ("2262-04-11T23:47:16.854775807Z", INT64_MAX),
        ("2262-04-11T23:47:16.854775808Z", None),
        ("2262-04-12T00:47:16.854775807+01:00", INT64_MAX),
        ("2262-04-11T23:47:17Z", None),
        ("0000-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("1970-01-01T00:00:00-00:00", 0),
        ("2016-12-31T23:59:60Z", None),
        ("2025-01-01T24:00:00Z", None),
        ("2025-01-01T00:00:00.Z", None),
        ("2025-01-01T00:00:00.1234567890Z", None),
        ("2025-01-01T00:00:00", None),
        ("2025-01-01T00:00:00+24:00", None),
        ("2025-01-01T00:00:00+00:60", None),
        ("2025-01-01T00:00:00z", None),
        ("", None),
    ],
)
def test_parse_iso8601_borders(text, ns):
    assert parse_oracle(text) == ns
    check_parse(text)


# ---------------------------------------------------------------------------
# Text


def decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "strict")
    except UnicodeDecodeError:
        return False
    return True


def test_utf8_every_pair_and_every_lead_with_border_bytes():
    borders = (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF)
    for pair in itertools.product(range(256), repeat=2):
        assert utf8_valid(bytes(pair)) == decodes(bytes(pair)), bytes(pair)
    for lead in range(0xC0, 0x100):
        for rest in itertools.product(borders, repeat=3):
            for data in (bytes((lead, *rest[:2])), bytes((lead, *rest)), bytes((*rest, lead))):
                assert utf8_valid(data) == decodes(data), data


def test_utf8_damage_at_every_place_of_a_long_text():
    rng = random.Random(8)
    text = "S:AAPL plain ascii, then ü, 価格, 🚀 and plain again".encode()
    assert utf8_valid(text)
    for at in range(len(text)):
        assert utf8_valid(text[:at]) == decodes(text[:at])
        for _ in range(20):
            data = text[:at] + bytes((rng.randrange(256),)) + text[at + 1 :]
            assert utf8_valid(data) == decodes(data), data


@untimed
@given(st.one_of(st.binary(max_size=40), st.text(max_size=40).map(str.encode)))
def test_utf8_any(data):
    assert utf8_valid(data) == decodes(data)


def escape_oracle(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False)[1:-1].encode()


def test_escape_every_byte_at_every_place_of_a_word():
    for code, before, after in itertools.product(range(0x80), range(9), (0, 1, 8)):
        text = "é" * (before // 2) + "x" * (before % 2) + chr(code) + "y" * after
        assert escape_json(text.encode()) == escape_oracle(text)


def test_escape_grows_six_times_at_most():
    assert escape_json(b"\x01" * 1000) == b"\\u0001" * 1000
    assert escape_json(b"") == b""
    assert escape_json(b"\x7f\xff\xfe") == b"\x7f\xff\xfe"


@untimed
@given(st.text(max_size=60))
def test_escape_any(text):
    escaped = escape_json(text.encode())
    assert escaped == escape_oracle(text)
    assert json.loads(b'"' + escaped + b'"') == text


# ---------------------------------------------------------------------------
# Topics


@untimed
@given(st.text(alphabet="ab:é*", max_size=12))
def test_split_topic_any(topic):
    symbol, colon, kind = topic.rpartition(":")
    if colon:
        assert split_topic(topic) == (symbol, kind)
    else:
        with pytest.raises(ValueError, match="has no ':'; allowed: SYMBOL:EVENT_TYPE"):
            split_topic(topic)


def glob_oracle(pattern: str, text: str) -> bool:
    parts = (re.escape(part) for part in re.split(r"\*+", pattern))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("S:*:quote", "S:AAPL:quote", True),
        ("S:*:quote", "C:BTCUSD:quote", False),
        ("C:BTC*:candle", "C:BTCUSD:candle", True),
        ("*:quote", "S:AAPL:quote", True),
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("a.c", "abc", False),
        ("*ab", "aab", True),
        ("a*b*", "acbd", True),
    ],
)
def test_glob_examples(pattern, text, matches):
    assert glob_oracle(pattern, text) is matches
    assert glob_match(pattern, text) is matches


def test_glob_every_short_pattern_on_every_short_text():
    texts = ["".join(t) for n in range(5) for t in itertools.product("ab", repeat=n)]
    patterns = ("".join(p) for n in range(6) for p in itertools.product("ab*", repeat=n))
    for pattern in patterns:
        for text in texts:
            assert glob_match(pattern, text) == glob_oracle(pattern, text), (pattern, text)


@untimed
@given(st.text(alphabet="ab*:é\n", max_size=10), st.text(alphabet="ab:é\n*", max_size=14))
def test_glob_any(pattern, text):
    assert glob_match(pattern, text) == glob_oracle(pattern, text)


def test_glob_does_not_explode():
    assert not glob_match("a*" * 500 + "b", "a" * 5000)
    assert glob_match("a*" * 500, "a" * 5000)


def symbol_oracle(symbol: str) -> bool:
    return 1 <= len(symbol.encode()) <= 128 and not re.search(r"[\x00-\x20\x7f,*]", symbol)


@untimed
@given(st.text(max_size=140))
def test_symbol_any(symbol):
    assert symbol_valid(symbol) == symbol_oracle(symbol)


def test_symbol_every_character_and_length():
    for code in range(0x100):
        assert symbol_valid(f"S:{chr(code)}A") == symbol_oracle(f"S:{chr(code)}A")
    for n in range(131):
        assert symbol_valid("A" * n) == (1 <= n <= 128)
    assert symbol_valid("é" * 64)
    assert not symbol_valid("é" * 65)
    assert not symbol_valid("S:\ud800")


# ---------------------------------------------------------------------------
# Interning


def test_intern_against_a_dict():
    """200,000 keys of all the shapes that occur, added and looked up in random order."""
    rng = random.Random(9)
    shapes = ("S:{:06}", "C:{}USD:quote", "{}", "S:{:06}:candle@5m:and-some-more-{}", "{:x}\0")
    keys = [rng.choice(shapes).format(i, i).encode() for i in range(200_000)]
    table, oracle = Intern(12345), {}
    for key in keys + rng.sample(keys, 50_000):
        assert table.add(key) == oracle.setdefault(key, len(oracle))
    assert len(table) == len(oracle)
    for number, key in enumerate(oracle):
        assert table.find(key) == number
        assert table.key(number) == key
        assert table.find(key + b"!") is None


@untimed
@given(st.lists(st.binary(max_size=40)), st.lists(st.binary(max_size=3)), st.integers(0, 2**64 - 1))
def test_intern_any(keys, others, seed):
    table, oracle = Intern(seed), {}
    for key in keys:
        assert table.add(key) == oracle.setdefault(key, len(oracle))
    for key in keys + others:
        assert table.find(key) == oracle.get(key)
    assert [table.key(i) for i in range(len(table))] == list(oracle)


def test_intern_tells_every_length_and_every_changed_byte_apart():
    table = Intern(0)
    keys = {b"\0" * n for n in range(70)}
    for n in range(1, 70):
        for at in range(n):
            keys.add(b"a" * at + b"b" + b"a" * (n - at - 1))
    numbers = {table.add(key) for key in sorted(keys)}
    assert numbers == set(range(len(keys)))


def test_intern_keys_longer_than_a_chunk():
    table = Intern(1)
    keys = [bytes((65 + i,)) * size for i, size in enumerate((10, 100_000, 20, 65_472, 65_473, 7))]
    assert [table.add(key) for key in keys] == list(range(6))
    assert [table.key(i) for i in range(6)] == keys
    assert [table.find(key) for key in keys] == list(range(6))


def test_intern_empty():
    table = Intern(2)
    assert len(table) == 0
    assert table.find(b"") is None
    assert table.find(b"S:AAPL") is None
    with pytest.raises(IndexError, match="id 0 was never given"):
        table.key(0)
    assert table.add(b"") == 0
    assert table.key(0) == b""


def test_intern_seed_changes_nothing_but_the_hash():
    keys = [f"S:{i}".encode() for i in range(1000)]
    for seed in (0, 1, 2**63, 2**64 - 1):
        table = Intern(seed)
        assert [table.add(key) for key in keys] == list(range(1000))
