/* ws.h: the RFC 6455 that both ends of the bench share: accept keys, frame headers, masked frames. */
#ifndef BENCH_WS_H
#define BENCH_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sha1.h"

#define WS_TEXT 1
#define WS_BINARY 2
#define WS_CLOSE 8
#define WS_PING 9
#define WS_PONG 10
#define WS_KEY_LENGTH 24
#define WS_ACCEPT_LENGTH 28
#define WS_HEADER_MAX 10

/* Base64 with padding and a final NUL: `out` holds 4 * ceil(length / 3) + 1 bytes. */
static inline void ws_base64(const uint8_t *data, size_t length, char *out) {
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < length; at += 3) {
        size_t left = length - at;
        uint32_t group = (uint32_t)data[at] << 16 | (left > 1 ? (uint32_t)data[at + 1] << 8 : 0) |
                         (left > 2 ? data[at + 2] : 0);
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[group & 63] : '=';
    }
    *out = '\0';
}

/* Section 4.2.2: what the server answers to a Sec-WebSocket-Key. */
static inline void ws_accept_key(const char *key, char out[WS_ACCEPT_LENGTH + 1]) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[WS_KEY_LENGTH + sizeof guid - 1], digest[20];
    memcpy(text, key, WS_KEY_LENGTH);
    memcpy(text + WS_KEY_LENGTH, guid, sizeof guid - 1);
    sha1(text, sizeof text, digest);
    ws_base64(digest, sizeof digest, out);
}

/* The header of an unmasked final frame; returns its length, 2 to 10 bytes. */
static inline size_t ws_write_header(uint8_t *out, int opcode, size_t length) {
    out[0] = (uint8_t)(0x80 | opcode);
    if (length < 126) {
        out[1] = (uint8_t)length;
        return 2;
    }
    int bytes = length < 65536 ? 2 : 8;
    out[1] = bytes == 2 ? 126 : 127;
    for (int i = 0; i < bytes; i++) out[2 + i] = (uint8_t)((uint64_t)length >> 8 * (bytes - 1 - i));
    return 2 + (size_t)bytes;
}

/* A masked final frame with a payload of at most 125 bytes; returns its length. */
static inline size_t ws_write_masked(uint8_t *out, int opcode, const void *payload, size_t length,
                                     uint32_t mask) {
    uint8_t key[4];
    memcpy(key, &mask, 4);
    out[0] = (uint8_t)(0x80 | opcode);
    out[1] = (uint8_t)(0x80 | length);
    memcpy(out + 2, key, 4);
    for (size_t i = 0; i < length; i++) out[6 + i] = ((const uint8_t *)payload)[i] ^ key[i & 3];
    return 6 + length;
}

struct ws_frame {
    int opcode;
    const char *payload;
    size_t length; /* of the payload */
    size_t total;  /* header included */
};

/* Reads one unfragmented, unmasked frame: 1 it is whole, 0 bytes are missing, -1 not such a frame. */
static inline int ws_read(const uint8_t *data, size_t size, struct ws_frame *frame) {
    if (size < 2) return 0;
    if ((data[0] & 0xf0) != 0x80 || (data[1] & 0x80) != 0) return -1;
    size_t header = 2;
    uint64_t length = data[1];
    if (length >= 126) {
        int bytes = length == 126 ? 2 : 8;
        header += (size_t)bytes;
        if (size < header) return 0;
        length = 0;
        for (int i = 0; i < bytes; i++) length = length << 8 | data[2 + i];
    }
    if (length > UINT32_MAX) return -1;
    frame->opcode = data[0] & 0x0f;
    frame->payload = (const char *)data + header;
    frame->length = length;
    frame->total = header + length;
    return size >= frame->total;
}

#endif
