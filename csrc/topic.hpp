/* Topics `{symbol}:{event_type}` and the patterns that match them (GUIDE's grammar, PROTOCOL 2).
 *
 * Contract
 *   fr_last_colon     index of the last `:`, -1 without one: the event type is what follows it,
 *                     since symbols have colons of their own (`S:AAPL`).
 *   fr_glob_match     1 when the pattern matches the whole text: `*` stands for any run of bytes,
 *                     none included, every other byte for itself. No recursion, no allocation, at
 *                     worst np * nt steps.
 *   fr_symbol_valid   1 for 1 to FR_SYMBOL_MAX bytes of UTF-8 without spaces or control characters
 *                     (bytes up to 0x20, and 0x7f), without `,` (separates subscriptions) and
 *                     without `*` (the wildcard).
 */
#ifndef FR_TOPIC_HPP
#define FR_TOPIC_HPP

#include <cstddef>
#include <cstring>

#include "text.hpp"

#define FR_SYMBOL_MAX 128

static inline ptrdiff_t fr_last_colon(const char* s, size_t n) {
  while (n > 0)
    if (s[--n] == ':') return (ptrdiff_t)n;
  return -1;
}

static inline int fr_glob_match(const char* pattern, size_t np, const char* text, size_t nt) {
  size_t p = 0, t = 0;
  /* The last star seen: the pattern behind it, and where its run ends so far. Only that star ever
   * needs to be tried again: a longer run of an earlier one could match nothing more. */
  size_t resume = 0, run_end = 0;
  bool starred = false;
  while (t < nt) {
    if (p < np && pattern[p] == '*') {
      starred = true;
      resume = ++p;
      run_end = t;
      if (p == np) return 1;
    } else if (p < np && pattern[p] == text[t]) {
      p++;
      t++;
    } else if (starred) {
      p = resume;
      t = ++run_end;
    } else {
      return 0;
    }
  }
  while (p < np && pattern[p] == '*') p++;
  return p == np;
}

static inline int fr_symbol_valid(const char* s, size_t n) {
  if (n < 1 || n > FR_SYMBOL_MAX) return 0;
  for (size_t i = 0; i < n; i++) {
    const unsigned char c = (unsigned char)s[i];
    if (c <= 0x20 || c == 0x7f || c == ',' || c == '*') return 0;
  }
  return fr_utf8_valid(s, n);
}

#endif
