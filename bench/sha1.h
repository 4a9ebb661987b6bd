/* sha1.h: SHA-1 (FIPS 180-4) of a short message, for the WebSocket handshake only. */
#ifndef BENCH_SHA1_H
#define BENCH_SHA1_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SHA1_MESSAGE_MAX 119 /* two blocks less the padding */

static inline uint32_t sha1_rotate(uint32_t word, int by) {
    return (word << by) | (word >> (32 - by));
}

static inline void sha1_mix(int round, const uint32_t s[5], uint32_t *f, uint32_t *k) {
    if (round < 20) *f = (s[1] & s[2]) | (~s[1] & s[3]), *k = 0x5a827999u;
    else if (round < 40) *f = s[1] ^ s[2] ^ s[3], *k = 0x6ed9eba1u;
    else if (round < 60) *f = (s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3]), *k = 0x8f1bbcdcu;
    else *f = s[1] ^ s[2] ^ s[3], *k = 0xca62c1d6u;
}

static inline void sha1_block(uint32_t state[5], const uint8_t *block) {
    uint32_t w[80], s[5];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 80; i++)
        w[i] = sha1_rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 80; i++) {
        uint32_t f, k;
        sha1_mix(i, s, &f, &k);
        uint32_t next = sha1_rotate(s[0], 5) + f + s[4] + k + w[i];
        s[4] = s[3], s[3] = s[2], s[2] = sha1_rotate(s[1], 30), s[1] = s[0], s[0] = next;
    }
    for (int i = 0; i < 5; i++) state[i] += s[i];
}

/* `length` <= SHA1_MESSAGE_MAX. */
static inline void sha1(const uint8_t *message, size_t length, uint8_t digest[20]) {
    uint32_t state[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
    uint8_t padded[128] = {0};
    size_t total = length + 9 <= 64 ? 64 : 128;
    memcpy(padded, message, length);
    padded[length] = 0x80;
    for (int i = 0; i < 8; i++) padded[total - 1 - i] = (uint8_t)((uint64_t)length * 8 >> 8 * i);
    for (size_t at = 0; at < total; at += 64) sha1_block(state, padded + at);
    for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

#endif
