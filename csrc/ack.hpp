/* Acknowledgements as clients write them (GUIDE, HELLO), read without building anything.
 *
 *   {"type":"event_ack","correlation_id":"…","events_processed":["evt_1","evt_2"],"timestamp":1}
 *
 * Contract
 *   fr_read_ack       1 when the text is a JSON object of these four members, each once, in any
 *                     order and with any JSON whitespace: then [*ids, *end) is what stands between
 *                     the brackets. 0 for everything else, also for what is an ack all the same but
 *                     no plain one (escapes, bytes outside of 0x20 … 0x7e in a string, other
 *                     members, exponents): whoever knows all of JSON has to look at it.
 *   fr_next_id        The next id of what fr_read_ack found, from *at on: 1 and its number, 0 for
 *                     one that is not `evt_` and 1 to 18 digits (no router comes further),
 *                     -1 when there is none any more.
 */
#ifndef FR_ACK_HPP
#define FR_ACK_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>

#define FR_ACK_DIGITS 18

struct fr_text {
  const char* at;
  const char* end;
};

static inline void fr_skip_space(fr_text* t) {
  while (t->at < t->end && (*t->at == ' ' || *t->at == '\n' || *t->at == '\t' || *t->at == '\r'))
    t->at++;
}

static inline bool fr_take(fr_text* t, char c) {
  fr_skip_space(t);
  if (t->at == t->end || *t->at != c) return false;
  t->at++;
  return true;
}

/* A string of plain ASCII; [*s, *s + *n) is what stands between its quotes. */
static inline bool fr_take_string(fr_text* t, const char** s, size_t* n) {
  if (!fr_take(t, '"')) return false;
  *s = t->at;
  for (; t->at < t->end; t->at++) {
    const unsigned char c = (unsigned char)*t->at;
    if (c == '"') {
      *n = (size_t)(t->at - *s);
      t->at++;
      return true;
    }
    if (c < 0x20 || c > 0x7e || c == '\\') return false;
  }
  return false;
}

static inline size_t fr_take_digits(fr_text* t) {
  const char* first = t->at;
  while (t->at < t->end && *t->at >= '0' && *t->at <= '9') t->at++;
  return (size_t)(t->at - first);
}

/* A number without an exponent, of at most 18 digits before and after its point. */
static inline bool fr_take_number(fr_text* t) {
  fr_skip_space(t);
  if (t->at < t->end && *t->at == '-') t->at++;
  const bool zero = t->at < t->end && *t->at == '0';
  size_t digits = fr_take_digits(t);
  if (digits == 0 || digits > FR_ACK_DIGITS || (zero && digits > 1)) return false;
  if (t->at < t->end && *t->at == '.') {
    t->at++;
    digits = fr_take_digits(t);
    if (digits == 0 || digits > FR_ACK_DIGITS) return false;
  }
  return true;
}

static inline bool fr_take_strings(fr_text* t, const char** from, const char** to) {
  const char* s;
  size_t n;
  if (!fr_take(t, '[')) return false;
  *from = t->at;
  *to = t->at;
  if (fr_take(t, ']')) return true;
  do {
    if (!fr_take_string(t, &s, &n)) return false;
    *to = t->at;
  } while (fr_take(t, ','));
  return fr_take(t, ']');
}

static inline bool fr_is(const char* s, size_t n, const char* word, size_t size) {
  return n == size && memcmp(s, word, size) == 0;
}

static inline int fr_read_ack(const char* text, size_t size, const char** ids, const char** end) {
  enum { TYPE = 1, CORRELATION = 2, EVENTS = 4, TIMESTAMP = 8, ALL = 15 };
  fr_text t = {text, text + size};
  const char *s, *value;
  size_t n, length;
  int seen = 0, member;
  if (!fr_take(&t, '{')) return 0;
  do {
    if (!fr_take_string(&t, &s, &n) || !fr_take(&t, ':')) return 0;
    if (fr_is(s, n, "type", 4)) {
      member = TYPE;
      if (!fr_take_string(&t, &value, &length) || !fr_is(value, length, "event_ack", 9)) return 0;
    } else if (fr_is(s, n, "correlation_id", 14)) {
      member = CORRELATION;
      if (!fr_take_string(&t, &value, &length)) return 0;
    } else if (fr_is(s, n, "events_processed", 16)) {
      member = EVENTS;
      if (!fr_take_strings(&t, ids, end)) return 0;
    } else if (fr_is(s, n, "timestamp", 9)) {
      member = TIMESTAMP;
      if (!fr_take_number(&t)) return 0;
    } else {
      return 0;
    }
    if (seen & member) return 0;
    seen |= member;
  } while (fr_take(&t, ','));
  if (seen != ALL || !fr_take(&t, '}')) return 0;
  fr_skip_space(&t);
  return t.at == t.end;
}

static inline int fr_next_id(const char** at, const char* end, uint64_t* number) {
  fr_text t = {*at, end};
  const char* s;
  size_t n;
  *number = 0;
  fr_take(&t, ',');
  if (!fr_take_string(&t, &s, &n)) return -1;
  *at = t.at;
  if (n < 5 || n > 4 + FR_ACK_DIGITS || memcmp(s, "evt_", 4) != 0) return 0;
  for (size_t i = 4; i < n; i++) {
    if (s[i] < '0' || s[i] > '9') return 0;
    *number = *number * 10 + (uint64_t)(s[i] - '0');
  }
  return 1;
}

#endif
