/* quote_write.h: writes the framed trading-api quote that quote_read.h describes.
 *
 * Prices move through fifty odd cents, so that their text has always two decimals.
 */
#ifndef BENCH_QUOTE_WRITE_H
#define BENCH_QUOTE_WRITE_H

#include <stdint.h>
#include <string.h>
#include <time.h>

#include "ws.h"

#define QUOTE_FRAME_MAX 384

struct quote_writer {
    uint64_t id;
    time_t second;
    char second_text[20]; /* 2025-01-01T00:00:00 */
};

static inline char *quote_put_digits(char *out, uint64_t value, int width) {
    for (int i = width - 1; i >= 0; i--, value /= 10) out[i] = (char)('0' + value % 10);
    return out + width;
}

static inline char *quote_put_number(char *out, uint64_t value) {
    int width = 1;
    for (uint64_t rest = value; rest >= 10; rest /= 10) width++;
    return quote_put_digits(out, value, width);
}

static inline char *quote_put_text(char *out, const char *text, size_t length) {
    memcpy(out, text, length);
    return out + length;
}

#define QUOTE_PUT(out, text) quote_put_text(out, text, sizeof(text) - 1)

static inline char *quote_put_cents(char *out, uint64_t cents) {
    out = quote_put_number(out, cents / 100);
    *out++ = '.';
    return quote_put_digits(out, cents % 100, 2);
}

static inline char *quote_put_time(struct quote_writer *writer, char *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != writer->second) {
        struct tm calendar;
        gmtime_r(&now.tv_sec, &calendar);
        strftime(writer->second_text, sizeof writer->second_text, "%Y-%m-%dT%H:%M:%S", &calendar);
        writer->second = now.tv_sec;
    }
    out = quote_put_text(out, writer->second_text, 19);
    *out++ = '.';
    out = quote_put_digits(out, (uint64_t)now.tv_nsec / 1000, 6);
    *out++ = 'Z';
    return out;
}

static inline char *quote_put_prices(char *out, uint64_t cents) {
    out = QUOTE_PUT(out, "\",\"bid\":\"");
    out = quote_put_cents(out, cents);
    out = QUOTE_PUT(out, "\",\"ask\":\"");
    out = quote_put_cents(out, cents + 2);
    out = QUOTE_PUT(out, "\",\"last\":\"");
    return quote_put_cents(out, cents);
}

/* Writes one frame of at most QUOTE_FRAME_MAX bytes; returns its length. */
static inline size_t quote_write(struct quote_writer *writer, uint8_t *frame, uint64_t symbol,
                                 uint64_t seq, uint64_t published_us, uint64_t due_us) {
    char payload[QUOTE_FRAME_MAX - WS_HEADER_MAX], *out = payload;
    uint64_t id = ++writer->id;
    out = QUOTE_PUT(out, "{\"type\":\"quote\",\"id\":\"evt_");
    out = quote_put_number(out, id);
    out = QUOTE_PUT(out, "\",\"quote\":{\"symbol\":\"S:SYM");
    out = quote_put_digits(out, symbol, 4);
    out = quote_put_prices(out, 15001 + 2 * (id % 50));
    out = QUOTE_PUT(out, "\",\"bid_size\":\"");
    out = quote_put_number(out, published_us);
    out = QUOTE_PUT(out, "\",\"ask_size\":\"");
    out = quote_put_number(out, due_us);
    out = QUOTE_PUT(out, "\",\"seq\":");
    out = quote_put_number(out, seq);
    out = QUOTE_PUT(out, "},\"timestamp\":\"");
    out = quote_put_time(writer, out);
    out = QUOTE_PUT(out, "\"}");
    size_t length = (size_t)(out - payload), header = ws_write_header(frame, WS_TEXT, length);
    memcpy(frame + header, payload, length);
    return header + length;
}

#endif
