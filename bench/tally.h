/* tally.h: what every session received: sequences without hole or double, counts, latencies. */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"
#include "quote_read.h"

#define TALLY_SLOTS_MAX 255
#define TALLY_ABSENT 255
#define TALLY_LATENCY_MAX_US 3600000000u

/* One symbol of one session. */
struct stream {
    uint32_t received;
    uint32_t seq; /* the last one */
    uint32_t symbol;
};

struct tally {
    uint32_t sessions, stalled, symbols, slots; /* sessions below `stalled` do not count */
    uint8_t *slot_of;                           /* [session][symbol] */
    struct stream *streams;                     /* [session][slot] */
    uint64_t received;                          /* since the start; the rest since tally_reset */
    uint64_t deliveries, gaps, skipped, duplicates, malformed, foreign, snapshots, other, closed;
    struct hist published, due;
};

static inline void tally_init(struct tally *tally, uint32_t sessions, uint32_t stalled,
                              uint32_t symbols, uint32_t slots) {
    memset(tally, 0, sizeof *tally);
    tally->sessions = sessions, tally->stalled = stalled;
    tally->symbols = symbols, tally->slots = slots;
    tally->slot_of = malloc((size_t)sessions * symbols + 1);
    tally->streams = calloc((size_t)sessions * slots + 1, sizeof *tally->streams);
    if (tally->slot_of == NULL || tally->streams == NULL) abort();
    memset(tally->slot_of, TALLY_ABSENT, (size_t)sessions * symbols);
}

static inline void tally_free(struct tally *tally) {
    free(tally->slot_of);
    free(tally->streams);
}

static inline void tally_reset(struct tally *tally) {
    hist_clear(&tally->published);
    hist_clear(&tally->due);
    tally->deliveries = tally->gaps = tally->skipped = tally->duplicates = 0;
    tally->malformed = tally->foreign = tally->snapshots = tally->other = 0;
}

/* False when the session holds the symbol already. */
static inline bool tally_subscribe(struct tally *tally, uint32_t session, uint32_t slot,
                                   uint32_t symbol) {
    uint8_t *held = &tally->slot_of[(size_t)session * tally->symbols + symbol];
    if (*held != TALLY_ABSENT) return false;
    *held = (uint8_t)slot;
    tally->streams[(size_t)session * tally->slots + slot].symbol = symbol;
    return true;
}

static inline void tally_sequence(struct tally *tally, struct stream *stream, uint64_t seq) {
    uint64_t last = stream->seq;
    if (stream->received++ > 0 && seq != last + 1) {
        if (seq <= last) {
            tally->duplicates++;
            return;
        }
        tally->gaps++;
        tally->skipped += seq - last - 1;
    }
    stream->seq = (uint32_t)seq;
}

/* Counts one live quote; false when the session never asked for its symbol. */
static inline bool tally_take(struct tally *tally, uint32_t session, const struct quote *quote,
                              uint64_t now_us) {
    uint8_t slot = quote->symbol < tally->symbols
                       ? tally->slot_of[(size_t)session * tally->symbols + quote->symbol]
                       : TALLY_ABSENT;
    if (slot == TALLY_ABSENT) {
        tally->foreign++;
        return false;
    }
    tally_sequence(tally, &tally->streams[(size_t)session * tally->slots + slot], quote->seq);
    tally->received++;
    tally->deliveries++;
    uint64_t latency = now_us - quote->published_us;
    if (latency > TALLY_LATENCY_MAX_US) tally->malformed++;
    hist_add(&tally->published, latency);
    hist_add(&tally->due, latency + quote->published_us - quote->due_us);
    return true;
}

/* How many of `quotes`, published round-robin over the symbols, are this symbol's. */
static inline uint64_t tally_share(const struct tally *tally, uint64_t quotes, uint32_t symbol) {
    return quotes / tally->symbols + (symbol < quotes % tally->symbols);
}

struct tally_totals {
    uint64_t expected, missing, session_min, session_max;
};

/* Compares each counted session with the `quotes` published since the start. */
static inline struct tally_totals tally_totals(const struct tally *tally, uint64_t quotes) {
    struct tally_totals totals = {0, 0, UINT64_MAX, 0};
    for (uint32_t session = tally->stalled; session < tally->sessions; session++) {
        uint64_t received = 0;
        for (uint32_t slot = 0; slot < tally->slots; slot++) {
            const struct stream *stream = &tally->streams[(size_t)session * tally->slots + slot];
            uint64_t share = tally_share(tally, quotes, stream->symbol);
            totals.expected += share;
            totals.missing += share > stream->received ? share - stream->received : 0;
            received += stream->received;
        }
        if (received < totals.session_min) totals.session_min = received;
        if (received > totals.session_max) totals.session_max = received;
    }
    if (totals.session_min == UINT64_MAX) totals.session_min = 0;
    return totals;
}

static inline void tally_print(const struct tally *tally, uint64_t quotes, FILE *out) {
    struct tally_totals totals = tally_totals(tally, quotes);
    fprintf(out,
            "\"deliveries\":%" PRIu64 ",\"received\":%" PRIu64 ",\"expected\":%" PRIu64
            ",\"missing\":%" PRIu64 ",\"gaps\":%" PRIu64 ",\"skipped\":%" PRIu64
            ",\"duplicates\":%" PRIu64 ",\"malformed\":%" PRIu64 ",\"foreign\":%" PRIu64
            ",\"snapshots\":%" PRIu64 ",\"other\":%" PRIu64 ",\"closed\":%" PRIu64
            ",\"session_min\":%" PRIu64 ",\"session_max\":%" PRIu64 ",\"latency\":",
            tally->deliveries, tally->received, totals.expected, totals.missing, tally->gaps,
            tally->skipped, tally->duplicates, tally->malformed, tally->foreign, tally->snapshots,
            tally->other, tally->closed, totals.session_min, totals.session_max);
    hist_print(&tally->published, out);
    fputs(",\"latency_due\":", out);
    hist_print(&tally->due, out);
}

#endif
