/* Cells of a text table: a number or a time, of the plainest forms only.
 *
 * Contract
 *   fr_cell_double   reads all of [s, e) as a finite double, correctly rounded: `-`, digits with or
 *                    without a point, an exponent. False for anything else, an overflow included.
 *   fr_cell_time     reads all of [s, e) as nanoseconds since the epoch; what names no zone is UTC:
 *                    FR_CELL_UNITS    `-`, digits, a fraction of which what is below a nanosecond
 *                                     is cut off, times `unit` (ns)
 *                    FR_CELL_ISO      `2020-01-01[(T| )17:00:00[.f][Z|+HH:MM|-HH:MM]]`, f of 1 to 9
 *                                     digits, also with `/` or `.` in the date
 *                    FR_CELL_COMPACT  `20200101[( |T|)170000[.]f]`, f of 0 to 8 digits
 *                    Years 1678 to 2261. False for anything else, however sensible.
 *   Neither sees a space. The byte at `e` is read: any that ends a cell, a space, or a NUL.
 */
#ifndef FR_CELL_HPP
#define FR_CELL_HPP

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "time.hpp"

enum fr_cell_form { FR_CELL_UNITS, FR_CELL_ISO, FR_CELL_COMPACT };

static inline bool fr_is_digit(char c) { return (unsigned char)(c - '0') < 10; }

/* Digits from `at` on are added to `value`, which wraps around beyond 19. */
static inline const char* fr_take_digits(const char* at, uint64_t* value) {
  uint64_t v = *value;
  for (; fr_is_digit(*at); at++) v = v * 10 + (unsigned)(*at - '0');
  *value = v;
  return at;
}

static inline bool fr_cell_double(const char* s, const char* e, double* out) {
  static constexpr double power[19] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                       1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
  const bool minus = *s == '-';
  uint64_t digits = 0;
  const char* begin = s + minus;
  const char* point = fr_take_digits(begin, &digits);
  if (point == begin) return false;
  const char* at = *point == '.' ? fr_take_digits(point + 1, &digits) : point;
  const ptrdiff_t places = at > point ? at - point - 1 : 0;
  if (at == e && at - begin < 20 && digits <= (uint64_t)1 << 53) {
    /* both are exact, so that the one rounding of the division is the right one */
    const double value = (double)digits / power[places];
    *out = minus ? -value : value;
    return true;
  }
  double value;
  const std::from_chars_result end = std::from_chars(s, e, value);
  if (end.ec != std::errc() || end.ptr != e || !std::isfinite(value)) return false;
  *out = value;
  return true;
}

/* Up to `most` digits behind a point as nanoseconds; how many there were, in *count. */
static inline const char* fr_cell_fraction(const char* at, int* count, int64_t* ns) {
  int64_t fraction = 0;
  int n = 0;
  for (; fr_is_digit(*at); at++, n++)
    if (n < 9) fraction = fraction * 10 + (*at - '0');
  *ns = fraction * (int64_t)FR_POW10_INT[n < 9 ? 9 - n : 0];
  *count = n;
  return at;
}

static inline bool fr_cell_units(const char* s, const char* e, int64_t unit, int64_t* ns) {
  const bool minus = *s == '-';
  uint64_t whole = 0;
  const char* begin = s + minus;
  const char* at = fr_take_digits(begin, &whole);
  if (at == begin || at - begin > 19 || whole > (uint64_t)(INT64_MAX / unit - 1)) return false;
  int64_t rest = 0;
  if (*at == '.') {
    int count;
    at = fr_cell_fraction(at + 1, &count, &rest);
    rest /= 1000000000 / unit;
  }
  if (at != e) return false;
  const int64_t time = (int64_t)whole * unit + rest;
  *ns = minus ? -time : time;
  return true;
}

/* A day and the digits of a clock as ns; false when there is no such moment. */
static inline bool fr_cell_moment(const int parts[6], int64_t* ns) {
  const int year = parts[0], month = parts[1], day = parts[2];
  if (year < 1678 || year > 2261 || month < 1 || month > 12) return false;
  if (day < 1 || day > fr_days_in_month(year, month)) return false;
  if (parts[3] < 0 || parts[3] > 23 || parts[4] < 0 || parts[4] > 59 || parts[5] < 0 ||
      parts[5] > 59)
    return false;
  const int64_t seconds =
      fr_days_from_civil(year, month, day) * 86400 + parts[3] * 3600 + parts[4] * 60 + parts[5];
  *ns = seconds * 1000000000;
  return true;
}

static inline bool fr_cell_separator(char c) { return c == '-' || c == '/' || c == '.'; }

static inline bool fr_cell_iso(const char* s, const char* e, int64_t* ns) {
  const size_t n = (size_t)(e - s);
  if (n < 10 || !fr_cell_separator(s[4]) || !fr_cell_separator(s[7])) return false;
  int parts[6] = {fr_read_digits(s, 4), fr_read_digits(s + 5, 2), fr_read_digits(s + 8, 2), 0, 0, 0};
  if (n == 10) return fr_cell_moment(parts, ns);
  if (n < 19 || (s[10] != ' ' && s[10] != 'T') || s[13] != ':' || s[16] != ':') return false;
  for (int i = 0; i < 3; i++) parts[3 + i] = fr_read_digits(s + 11 + 3 * i, 2);
  if (!fr_cell_moment(parts, ns)) return false;
  const char* at = s + 19;
  if (*at == '.') {
    int count;
    int64_t rest;
    at = fr_cell_fraction(at + 1, &count, &rest);
    if (count < 1 || count > 9) return false;
    *ns += rest;
  }
  if (e - at == 6 && (*at == '+' || *at == '-')) {
    const int offset = fr_read_hhmm(at + 1);
    if (offset < 0) return false;
    *ns -= (*at == '-' ? -offset : offset) * (int64_t)60000000000;
    return true;
  }
  return at == e || (e - at == 1 && *at == 'Z');
}

static inline bool fr_cell_compact(const char* s, const char* e, int64_t* ns) {
  if (e - s < 8) return false;
  int parts[6] = {fr_read_digits(s, 4), fr_read_digits(s + 4, 2), fr_read_digits(s + 6, 2), 0, 0, 0};
  if (e - s == 8) return fr_cell_moment(parts, ns);
  const char* at = s + 8;
  at += *at == ' ' || *at == 'T';
  if (e - at < 6) return false;
  for (int i = 0; i < 3; i++) parts[3 + i] = fr_read_digits(at + 2 * i, 2);
  if (!fr_cell_moment(parts, ns)) return false;
  at += 6;
  at += *at == '.';
  int count;
  int64_t rest;
  at = fr_cell_fraction(at, &count, &rest);
  *ns += rest;
  return at == e && count < 9;
}

static inline bool fr_cell_time(const char* s, const char* e, fr_cell_form form, int64_t unit,
                                int64_t* ns) {
  switch (form) {
    case FR_CELL_UNITS: return fr_cell_units(s, e, unit, ns);
    case FR_CELL_ISO: return fr_cell_iso(s, e, ns);
    default: return fr_cell_compact(s, e, ns);
  }
}

#endif
