/* Text: is it UTF-8, and how does it look inside a JSON string.
 *
 * Contract
 *   fr_utf8_valid    1 when the n bytes are UTF-8 as RFC 3629 defines it: no overlong forms, no
 *                    surrogates, nothing above U+10FFFF; else 0. No bytes at all are valid.
 *   fr_escape_json   writes the n bytes as they stand between the quotes of a JSON string
 *                    (RFC 8259 section 7) and returns the length: `\"` `\\` `\b` `\f` `\n` `\r`
 *                    `\t`, other bytes below 0x20 as `\u00xx` in lower-case hex, everything else
 *                    as it is. `out` holds 6 * n bytes and does not overlap `in`; the input is
 *                    not checked to be UTF-8.
 */
#ifndef FR_TEXT_HPP
#define FR_TEXT_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>

static constexpr uint64_t FR_EACH_BYTE = 0x0101010101010101ull;
static constexpr uint64_t FR_HIGH_BITS = 0x8080808080808080ull;

static inline int fr_is_continuation(unsigned char c) { return (c & 0xc0) == 0x80; }

/* The length of the multi-byte character at p, which has `left` bytes; 0 when it is not valid.
 * The second byte's range is what excludes overlongs, surrogates and too high code points
 * (RFC 3629 section 4). */
static inline size_t fr_utf8_multibyte(const unsigned char* p, size_t left) {
  const unsigned char lead = p[0];
  if (lead < 0xc2 || lead > 0xf4 || left < 2) return 0;
  const unsigned char second = p[1];
  if (!fr_is_continuation(second)) return 0;
  if (lead < 0xe0) return 2;
  if (left < 3 || !fr_is_continuation(p[2])) return 0;
  if (lead < 0xf0) {
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
    return 3;
  }
  if (left < 4 || !fr_is_continuation(p[3])) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
  return 4;
}

static inline int fr_utf8_valid(const char* s, size_t n) {
  const unsigned char* p = (const unsigned char*)s;
  size_t i = 0;
  while (i < n) {
    if (n - i >= 8) {
      uint64_t word;
      memcpy(&word, p + i, 8);
      if ((word & FR_HIGH_BITS) == 0) {
        i += 8;
        continue;
      }
    }
    const size_t length = p[i] < 0x80 ? 1 : fr_utf8_multibyte(p + i, n - i);
    if (length == 0) return 0;
    i += length;
  }
  return 1;
}

/* Not zero when a byte of the word is zero (Mycroft's test: exact as a yes or no). */
static inline uint64_t fr_zero_byte(uint64_t word) {
  return (word - FR_EACH_BYTE) & ~word & FR_HIGH_BITS;
}

static inline uint64_t fr_needs_escape(uint64_t word) {
  const uint64_t control = (word - FR_EACH_BYTE * 0x20) & ~word & FR_HIGH_BITS;
  return control | fr_zero_byte(word ^ (FR_EACH_BYTE * '"')) |
         fr_zero_byte(word ^ (FR_EACH_BYTE * '\\'));
}

static inline char* fr_escape_byte(char* out, unsigned char c) {
  static constexpr char hex[] = "0123456789abcdef";
  static constexpr char shorts[] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";
  if (c >= 0x20 && c != '"' && c != '\\') {
    *out++ = (char)c;
    return out;
  }
  const char letter = c < 0x20 ? shorts[c] : (char)c;
  *out++ = '\\';
  *out++ = letter;
  if (letter != 'u') return out;
  *out++ = '0';
  *out++ = '0';
  *out++ = hex[c >> 4];
  *out++ = hex[c & 15];
  return out;
}

static inline size_t fr_escape_json(char* out, const char* in, size_t n) {
  char* p = out;
  size_t i = 0;
  while (i < n) {
    size_t stop = n;
    if (n - i >= 8) {
      uint64_t word;
      memcpy(&word, in + i, 8);
      if (fr_needs_escape(word) == 0) {
        memcpy(p, &word, 8);
        p += 8;
        i += 8;
        continue;
      }
      stop = i + 8;
    }
    for (; i < stop; i++) p = fr_escape_byte(p, (unsigned char)in[i]);
  }
  return (size_t)(p - out);
}

#endif
