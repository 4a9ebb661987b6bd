/* Loops over the C leaves and over std::to_chars, for bench_leaves.py (through loops.pyx).
 *
 * Each writes its items with a comma after each and returns the number of bytes; `out` holds
 * FR_DOUBLE_MAX + 1 bytes an item. */
#ifndef FR_BENCH_LEAVES_HPP
#define FR_BENCH_LEAVES_HPP

#include <charconv>

#include "intern.hpp"
#include "number.hpp"
#include "time.hpp"

template <class T, class Write>
static size_t each(const T* items, size_t n, char* out, Write write) {
  char* p = out;
  for (size_t i = 0; i < n; i++) {
    p += write(p, items[i]);
    *p++ = ',';
  }
  return (size_t)(p - out);
}

template <class T>
static size_t standard(char* p, T v) {
  return (size_t)(std::to_chars(p, p + FR_DOUBLE_MAX, v).ptr - p);
}

static inline size_t double_leaf(const double* items, size_t n, char* out) {
  uint8_t scale = 0;
  return each(items, n, out, [&](char* p, double v) { return fr_write_double(p, v, &scale); });
}

static inline size_t double_to_chars(const double* items, size_t n, char* out) {
  return each(items, n, out, standard<double>);
}

static inline size_t u64_leaf(const uint64_t* items, size_t n, char* out) {
  return each(items, n, out, fr_write_u64);
}

static inline size_t u64_to_chars(const uint64_t* items, size_t n, char* out) {
  return each(items, n, out, standard<uint64_t>);
}

static inline size_t iso8601_leaf(const int64_t* items, size_t n, char* out) {
  fr_second_cache cache = {};
  return each(items, n, out, [&](char* p, int64_t ns) { return fr_write_iso8601(p, ns, &cache); });
}

/* One table at a time, filled with `keys` of 8 bytes each. */
static fr_intern table;

static inline void intern_fill(const char* keys, size_t n) {
  fr_intern_init(&table, 0x5eed);
  for (size_t i = 0; i < n; i++) fr_intern_add(&table, keys + 8 * i, 8);
}

static inline void intern_release() { fr_intern_free(&table); }

/* The sum of the ids found. */
static inline size_t intern_sum(const char* keys, size_t n) {
  size_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += fr_intern_find(&table, keys + 8 * i, 8);
  return sum;
}

#endif
