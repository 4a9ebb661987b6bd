/* Time: nanoseconds since 1970-01-01T00:00:00Z (int64, UTC, no leap seconds) to text and back.
 *
 * Contract
 *   fr_write_iso8601   writes exactly FR_ISO8601_LEN bytes, `2025-01-01T00:00:00.000000Z`:
 *                      microseconds, rounded down, for any int64. `cache` keeps the text of the
 *                      second written last; zero-initialised is a valid (empty) cache.
 *   fr_write_iso8601_short   the same without a fraction that is 0, `2025-01-01T00:00:00Z`;
 *                      returns its length, and may scribble up to FR_ISO8601_LEN bytes.
 *   fr_write_ms        writes fr_ns_to_ms as decimal text, FR_INT_MAX bytes at most.
 *   fr_ns_to_ms        whole milliseconds, rounded down (before 1970 too).
 *   fr_parse_iso8601   reads `YYYY-MM-DDTHH:MM:SS[.f](Z|+HH:MM|-HH:MM)`, f of 1 to 9 digits, a
 *                      space allowed in place of the T; returns 0 and sets *ns, or returns -1 and
 *                      leaves *ns alone: other shapes, dates that do not exist, times past
 *                      23:59:59 (the leap second 60 included), offsets past 23:59, instants
 *                      outside int64 nanoseconds (1677-09-21T00:12:43.145224192Z to
 *                      2262-04-11T23:47:16.854775807Z).
 *
 * Formats: RFC 3339 (a profile of ISO 8601). Civil dates from day numbers and back: Howard
 * Hinnant, "chrono-Compatible Low-Level Date Algorithms" (civil_from_days, days_from_civil).
 */
#ifndef FR_TIME_HPP
#define FR_TIME_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "number.hpp"

#define FR_ISO8601_LEN 27

typedef struct {
  int64_t start;  /* ns since the epoch */
  uint32_t span;  /* ns from there on that have this text; 0: nothing yet */
  char text[20];  /* `2025-01-01T00:00:00.` */
} fr_second_cache;

static inline int64_t fr_floor_div(int64_t a, int64_t positive) {
  const int64_t q = a / positive;
  return q - (a % positive < 0);
}

static inline int64_t fr_ns_to_ms(int64_t ns) { return fr_floor_div(ns, 1000000); }

static inline void fr_write_2(char* out, unsigned v) {
  out[0] = (char)('0' + v / 10);
  out[1] = (char)('0' + v % 10);
}

static inline void fr_render_second(int64_t second, char* out) {
  const int64_t days = fr_floor_div(second, 86400);
  const unsigned of_day = (unsigned)(second - days * 86400);
  /* civil_from_days; an era is 400 years, a year starts in March */
  const int64_t z = days + 719468;
  const int64_t era = fr_floor_div(z, 146097);
  const unsigned doe = (unsigned)(z - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned day = doy - (153 * mp + 2) / 5 + 1;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  const unsigned year = (unsigned)((int64_t)yoe + era * 400 + (month <= 2));
  fr_write_2(out, year / 100);
  fr_write_2(out + 2, year % 100);
  out[4] = '-';
  fr_write_2(out + 5, month);
  out[7] = '-';
  fr_write_2(out + 8, day);
  out[10] = 'T';
  fr_write_2(out + 11, of_day / 3600);
  out[13] = ':';
  fr_write_2(out + 14, of_day / 60 % 60);
  out[16] = ':';
  fr_write_2(out + 17, of_day % 60);
  out[19] = '.';
}

/* Fill the cache for the second of `ns`; returns how far into it that is. */
__attribute__((noinline, cold, unused)) static uint64_t fr_next_second(int64_t ns,
                                                                       fr_second_cache* cache) {
  const int64_t second = fr_floor_div(ns, 1000000000);
  const uint64_t start = (uint64_t)second * 1000000000; /* the first of int64 wraps around */
  const bool whole = second > INT64_MIN / 1000000000 - 1 && second < INT64_MAX / 1000000000;
  fr_render_second(second, cache->text);
  cache->start = (int64_t)start;
  cache->span = whole ? 1000000000 : 0;
  return (uint64_t)ns - start;
}

static inline size_t fr_write_iso8601(char* out, int64_t ns, fr_second_cache* cache) {
  uint64_t rest = (uint64_t)ns - (uint64_t)cache->start;
  if (__builtin_expect(rest >= cache->span, 0)) rest = fr_next_second(ns, cache);
  const uint32_t micros = (uint32_t)rest / 1000;
  memcpy(out, cache->text, 20);
  /* the point again, the last six of eight digits, the Z: one store */
  const uint64_t digits = (fr_digits8(micros) | FR_ASCII_ZEROS) >> 16 << 8;
  fr_store8(out + 19, digits | '.' | (uint64_t)'Z' << 56);
  return FR_ISO8601_LEN;
}

static inline size_t fr_write_iso8601_short(char* out, int64_t ns, fr_second_cache* cache) {
  fr_write_iso8601(out, ns, cache);
  if (__builtin_expect(memcmp(out + 19, ".000000Z", 8) != 0, 1)) return FR_ISO8601_LEN;
  out[19] = 'Z';
  return 20;
}

static inline size_t fr_write_ms(char* out, int64_t ns) {
  return fr_write_i64(out, fr_ns_to_ms(ns));
}

/* Exactly n digits as a number, or -1. */
static inline int fr_read_digits(const char* s, int n) {
  int v = 0;
  for (int i = 0; i < n; i++) {
    const unsigned digit = (unsigned)(unsigned char)s[i] - '0';
    if (digit > 9) return -1;
    v = v * 10 + (int)digit;
  }
  return v;
}

static inline int fr_days_in_month(int year, int month) {
  static constexpr signed char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return days[month - 1] + (month == 2 && leap);
}

/* days_from_civil; year 0..9999 */
static inline int64_t fr_days_from_civil(int year, int month, int day) {
  const int y = year - (month <= 2);
  const int era = (y >= 0 ? y : y - 399) / 400;
  const int yoe = y - era * 400;
  const int doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return (int64_t)era * 146097 + doe - 719468;
}

/* `HH:MM`, as minutes, or -1. */
static inline int fr_read_hhmm(const char* s) {
  const int hour = fr_read_digits(s, 2), minute = fr_read_digits(s + 3, 2);
  if (s[2] != ':' || hour < 0 || hour > 23 || minute < 0 || minute > 59) return -1;
  return hour * 60 + minute;
}

static inline int fr_parse_iso8601(const char* s, size_t n, int64_t* ns) {
  if (n < 20 || s[4] != '-' || s[7] != '-' || (s[10] != 'T' && s[10] != ' ') || s[16] != ':')
    return -1;
  const int year = fr_read_digits(s, 4), month = fr_read_digits(s + 5, 2);
  const int day = fr_read_digits(s + 8, 2), minutes = fr_read_hhmm(s + 11);
  const int second = fr_read_digits(s + 17, 2);
  if (year < 0 || month < 1 || month > 12) return -1;
  if (day < 1 || day > fr_days_in_month(year, month)) return -1;
  if (minutes < 0 || second < 0 || second > 59) return -1;

  size_t at = 19;
  int64_t fraction = 0;
  if (s[at] == '.') {
    int digits = 0;
    for (at++; at < n && s[at] >= '0' && s[at] <= '9'; at++, digits++)
      if (digits < 9) fraction = fraction * 10 + (s[at] - '0');
    if (digits < 1 || digits > 9) return -1;
    fraction *= (int64_t)FR_POW10_INT[9 - digits];
  }
  int offset = 0;
  if (n - at == 6 && (s[at] == '+' || s[at] == '-')) {
    offset = fr_read_hhmm(s + at + 1);
    if (offset < 0) return -1;
    if (s[at] == '-') offset = -offset;
  } else if (n - at != 1 || s[at] != 'Z') {
    return -1;
  }

  int64_t seconds = fr_days_from_civil(year, month, day) * 86400 + (minutes - offset) * 60 + second;
  if (seconds < 0 && fraction > 0) { /* so that the product does not overflow before the sum */
    seconds += 1;
    fraction -= 1000000000;
  }
  int64_t total;
  if (__builtin_mul_overflow(seconds, (int64_t)1000000000, &total)) return -1;
  if (__builtin_add_overflow(total, fraction, &total)) return -1;
  *ns = total;
  return 0;
}

#endif
