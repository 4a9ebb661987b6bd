/* Numbers to decimal text.
 *
 * Contract
 *   fr_write_u64, fr_write_i64   write the decimal text of v, no leading zeros, no terminator,
 *                                and return its length. `out` holds FR_INT_MAX bytes.
 *   fr_write_double              writes the ECMA-262 text of v (below) and returns its length.
 *                                `out` holds FR_DOUBLE_MAX bytes. v must be finite, see
 *                                fr_is_finite; should it not be, `null` is written, as
 *                                JSON.stringify does, so that a frame stays JSON.
 *                                `*scale` is the caller's hint, one per field: a number of
 *                                decimals (0..15) that sufficed last time; start with 0.
 *                                It never changes the text, only the time taken.
 *   All of them may scribble past the returned length, never past the stated size.
 *
 * Format of a double
 *   Number::toString(x) with radix 10 of ECMA-262 (section 6.1.6.1.20), which is also how RFC 8785
 *   writes JSON numbers: the fewest digits that read back to the same double, the closest to
 *   it among those; fixed notation for 1e-6 <= |v| < 1e21 (`0.000001`, `100000000000000000000`),
 *   otherwise `1e-7`, `1.5e+21`; no `.0`; -0 is `0`.
 *
 * Why the fast path is right
 *   Most prices are an integer i over a power of ten 10^k. We guess i as the integer next to
 *   |v| * 10^k and accept it when i < 10^15 and (double)i / 10^k == |v|. Both operands are exact
 *   (i < 2^53, k <= 22) and IEEE division rounds correctly, so acceptance says: the decimal
 *   i * 10^-k reads back to |v|. A double tells decimals of up to 15 significant digits apart
 *   (DBL_DIG), so no other decimal of 15 digits or fewer reads back to |v|. Without its trailing
 *   zeros i * 10^-k is therefore both the shortest and, being alone, the closest: the ECMA text.
 *   The same argument makes one try at the largest k with |v| * 10^k < 10^15 enough to find any
 *   such decimal: i * 10^j over 10^(k+j) is the same quotient, and the error of the product is
 *   below 10^15 * 2^-53 < 1/2.
 *   What has up to eight digits and six decimals, as nearly all prices and sizes, is tried first,
 *   inline: the digits of i are made at once and parted where the point belongs.
 */
#ifndef FR_NUMBER_HPP
#define FR_NUMBER_HPP

#include <charconv>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __FAST_MATH__
#error "number.hpp relies on IEEE division: build without -ffast-math"
#endif
static_assert(FLT_EVAL_METHOD == 0 && DBL_DIG == 15, "number.hpp relies on IEEE doubles");

#define FR_INT_MAX 20
#define FR_DOUBLE_MAX 32

static constexpr double FR_POW10[16] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                        1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
static constexpr uint64_t FR_POW10_INT[17] = {1ull,
                                              10ull,
                                              100ull,
                                              1000ull,
                                              10000ull,
                                              100000ull,
                                              1000000ull,
                                              10000000ull,
                                              100000000ull,
                                              1000000000ull,
                                              10000000000ull,
                                              100000000000ull,
                                              1000000000000ull,
                                              10000000000000ull,
                                              100000000000000ull,
                                              1000000000000000ull,
                                              10000000000000000ull};

/* Eight bytes, the lowest byte of `word` first. */
static inline void fr_store8(char* out, uint64_t word) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  memcpy(out, &word, 8);
}

/* The eight digits (0..9, not yet ASCII) of n < 10^8, most significant in the lowest byte.
 * Divides by 10^4, 10^2 and 10 in all lanes of one word at once: a lane of 2s bits holding v becomes
 * q = v / m in its lower half and v - q m in its upper, which is (v << s) - q ((m << s) - 1). */
static inline uint64_t fr_digits8(uint32_t n) {
  uint64_t x = ((uint64_t)n << 32) - n / 10000 * ((10000ull << 32) - 1);
  x = (x << 16) - (((x * 10486) >> 20) & 0x0000007f0000007full) * ((100ull << 16) - 1);
  return (x << 8) - (((x * 103) >> 10) & 0x000f000f000f000full) * ((10ull << 8) - 1);
}

static constexpr uint64_t FR_ASCII_ZEROS = 0x3030303030303030ull;

/* n < 10^8 without leading zeros; stores 8 bytes. */
static inline size_t fr_write_upto8(char* out, uint32_t n) {
  const uint64_t digits = fr_digits8(n);
  /* the marker in the last digit keeps one digit of a zero */
  const unsigned skip = (unsigned)__builtin_ctzll(digits | (1ull << 56)) & 0x38;
  fr_store8(out, (digits | FR_ASCII_ZEROS) >> skip);
  return 8 - skip / 8;
}

static inline void fr_write_all8(char* out, uint32_t n) {
  fr_store8(out, fr_digits8(n) | FR_ASCII_ZEROS);
}

static inline size_t fr_write_u64(char* out, uint64_t v) {
  if (v < 100000000u) return fr_write_upto8(out, (uint32_t)v);
  const uint64_t low16 = v % FR_POW10_INT[16];
  size_t n;
  if (v == low16) {
    n = fr_write_upto8(out, (uint32_t)(v / 100000000u));
  } else {
    n = fr_write_upto8(out, (uint32_t)(v / FR_POW10_INT[16]));
    fr_write_all8(out + n, (uint32_t)(low16 / 100000000u));
    n += 8;
  }
  fr_write_all8(out + n, (uint32_t)(low16 % 100000000u));
  return n + 8;
}

static inline size_t fr_write_i64(char* out, int64_t v) {
  const size_t sign = v < 0;
  *out = '-';
  return sign + fr_write_u64(out + sign, sign ? 0 - (uint64_t)v : (uint64_t)v);
}

/* By the exponent's bits: needs no library call and survives any optimisation flag. */
static inline bool fr_is_finite(double v) {
  uint64_t bits;
  memcpy(&bits, &v, 8);
  return (bits & 0x7ff0000000000000ull) != 0x7ff0000000000000ull;
}

/* scaled * 10^-k without trailing zeros, whole being its integer part; scaled < 10^15, k <= 15.
 * Stores up to 24 bytes. */
static inline size_t fr_write_decimal(char* out, uint64_t whole, uint64_t scaled, unsigned k) {
  size_t n = whole < 100000000u ? fr_write_upto8(out, (uint32_t)whole) : fr_write_u64(out, whole);
  if (k == 0) return n;
  uint64_t fraction = scaled - whole * FR_POW10_INT[k];
  out[n] = '.';
  if (k > 8) {
    fraction *= FR_POW10_INT[16 - k];
    const uint64_t rest = fraction % 100000000u;
    fraction /= 100000000u;
    if (rest != 0) {
      const uint64_t digits = fr_digits8((uint32_t)rest);
      fr_write_all8(out + n + 1, (uint32_t)fraction);
      fr_store8(out + n + 9, digits | FR_ASCII_ZEROS);
      return n + 17 - (unsigned)__builtin_clzll(digits) / 8;
    }
  } else {
    fraction *= FR_POW10_INT[8 - k];
  }
  /* trailing zeros are the high bytes: counted, not looped over */
  const uint64_t digits = fr_digits8((uint32_t)fraction);
  fr_store8(out + n + 1, digits | FR_ASCII_ZEROS);
  const size_t more = 9 - (unsigned)__builtin_clzll(digits | 1) / 8;
  return n + (fraction != 0 ? more : 0);
}

/* Any positive finite double: digits from std::to_chars (shortest), laid out as ECMA-262 asks. */
static inline size_t fr_write_layout(char* out, double a) {
  char text[32];
  const char* end = std::to_chars(text, text + sizeof text, a, std::chars_format::scientific).ptr;
  const char* mark = (const char*)memchr(text, 'e', (size_t)(end - text));
  int exponent = 0;
  for (const char* p = mark + 2; p < end; p++) exponent = exponent * 10 + (*p - '0');
  if (mark[1] == '-') exponent = -exponent;
  char digits[20];
  int count = 1;
  digits[0] = text[0];
  for (const char* p = text + 2; p < mark; p++) digits[count++] = *p;

  const int point = exponent + 1; /* digits before the decimal point: n of ECMA-262 */
  char* p = out;
  if (point > 21 || point < -5) {
    *p++ = digits[0];
    if (count > 1) *p++ = '.';
    memcpy(p, digits + 1, (size_t)(count - 1));
    p += count - 1;
    *p++ = 'e';
    *p++ = exponent < 0 ? '-' : '+';
    p += fr_write_u64(p, (uint64_t)(exponent < 0 ? -exponent : exponent));
  } else if (point <= 0) {
    memcpy(p, "0.000000", 8);
    p += 2 - point;
    memcpy(p, digits, (size_t)count);
    p += count;
  } else if (count <= point) {
    memcpy(p, digits, (size_t)count);
    memset(p + count, '0', (size_t)(point - count));
    p += point;
  } else {
    memcpy(p, digits, (size_t)point);
    p += point;
    *p++ = '.';
    memcpy(p, digits + point, (size_t)(count - point));
    p += count - point;
  }
  return (size_t)(p - out);
}

/* What the hint did not fit: `a` is not negative; finds a better hint where there is one. */
__attribute__((noinline, cold, unused)) static size_t fr_write_double_slow(char* out, double a,
                                                                           uint8_t* scale) {
  if (!fr_is_finite(a)) {
    memcpy(out, "null", 4);
    return 4;
  }
  if (a >= 1e-6 && a < 9007199254740992.0) {
    const uint64_t whole = (uint64_t)a;
    if ((double)whole == a) { /* 2^53 on doubles are further apart than integers are */
      *scale = 0;
      return fr_write_u64(out, whole);
    }
    unsigned k = 15;
    while (k > 0 && whole >= FR_POW10_INT[15 - k]) k--;
    const uint64_t scaled = (uint64_t)(a * FR_POW10[k] + 0.5);
    if (scaled < FR_POW10_INT[15] && (double)scaled / FR_POW10[k] == a) {
      unsigned decimals = k;
      while (scaled % FR_POW10_INT[k - decimals + 1] == 0) decimals--;
      *scale = (uint8_t)decimals;
      return fr_write_decimal(out, whole, scaled / FR_POW10_INT[k - decimals], decimals);
    }
    /* not an integer, so fixed notation has no zeros to fill in: already the layout we want */
    return (size_t)(std::to_chars(out, out + FR_DOUBLE_MAX - 1, a, std::chars_format::fixed).ptr -
                    out);
  }
  return fr_write_layout(out, a);
}

/* Short of fr_write_short: longer, finer, negative, or with other decimals than last time. */
__attribute__((noinline, unused)) static size_t fr_write_double_any(char* out, double v,
                                                                    uint8_t* scale) {
  const unsigned k = *scale & 15u;
  const double a = std::fabs(v);
  const double x = a * FR_POW10[k];
  const size_t sign = v < 0;
  *out = '-';
  out += sign;
  if (__builtin_expect(x < 1e15 && (a >= 1e-6 || a == 0), 1)) {
    const int64_t scaled = (int64_t)(x + 0.5);
    /* (int64_t)a is the integer part of scaled / 10^k: that quotient, unless an integer itself, is
     * 10^-k or more from one, and rounding it to `a` moves it by less than an eighth of that */
    if (__builtin_expect((double)scaled / FR_POW10[k] == a, 1))
      return sign + fr_write_decimal(out, (uint64_t)(int64_t)a, (uint64_t)scaled, k);
  }
  return sign + fr_write_double_slow(out, a, scale);
}

/* scaled * 10^-k without trailing zeros; scaled < 10^8, k <= 7. Stores up to 17 bytes. */
static inline size_t fr_write_short(char* out, uint32_t scaled, unsigned k) {
  const uint64_t digits = fr_digits8(scaled);
  /* the last k of the eight digits are the fraction; the marker keeps one digit before them */
  const unsigned point = 8 * (8 - k);
  const unsigned skip = (unsigned)__builtin_ctzll(digits | 1ull << (point - 8)) & 0x38;
  const uint64_t text = digits | FR_ASCII_ZEROS;
  const size_t whole = (point - skip) / 8;
  fr_store8(out, text >> skip);
  out[whole] = '.';
  fr_store8(out + whole + 1, text >> (point - 8) >> 8);
  const int decimals = (int)k - __builtin_clzll(digits | 1) / 8;
  return whole + (size_t)((decimals + 1) & -(decimals > 0));
}

static inline size_t fr_write_double(char* out, double v, uint8_t* scale) {
  const unsigned k = *scale;
  if (__builtin_expect(k <= 6, 1)) { /* 10^-6 is the finest that is written without exponent */
    /* adding 2^52 rounds to an integer and leaves it in the low bits; what is negative, too long
     * or not finite comes out with other high bits, which is a number above 10^8 here */
    const double shifted = v * FR_POW10[k] + 0x1p52;
    uint64_t scaled;
    memcpy(&scaled, &shifted, 8);
    scaled -= 0x4330000000000000ull;
    if (__builtin_expect(scaled < 100000000u && (shifted - 0x1p52) / FR_POW10[k] == v, 1))
      return fr_write_short(out, (uint32_t)scaled, k);
  }
  return fr_write_double_any(out, v, scale);
}

#endif
