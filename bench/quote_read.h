/* quote_read.h: reads a quote of the bench without parsing JSON, in trading-api or botcore.
 *
 *   {"type":"quote","id":"evt_9","quote":{"symbol":"S:SYM0007","bid":"150.25","ask":"150.27",
 *    "last":"150.26","bid_size":"<published>","ask_size":"<due>","seq":7},"timestamp":"..."}
 *
 * {"type":"MarketData","data":{"symbol":"S:SYM0007","price":<seq>, ... ,"bid":<published>,
 *    "ask":<due>,"last_update":1697234567000},"timestamp":1697234567000}
 *
 * `published` and `due` are CLOCK_MONOTONIC microseconds: when the publisher made the quote, and
 * when its schedule wanted it. Messages of one run are alike, so every key is looked for first
 * where the last message had it: a comparison instead of a search.
 */
#ifndef BENCH_QUOTE_READ_H
#define BENCH_QUOTE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum quote_kind { QUOTE_LIVE, QUOTE_SNAPSHOT, QUOTE_MALFORMED, QUOTE_OTHER };

struct quote {
    uint64_t symbol, published_us, due_us, seq;
};

struct quote_hints {
    size_t symbol, published, due, seq;
};

struct quote_cursor {
    const char *at, *end;
};

static inline bool quote_starts(const char *at, const char *end, const char *text, size_t length) {
    return (size_t)(end - at) >= length && memcmp(at, text, length) == 0;
}

/* Moves the cursor behind the key, looking `*hint` bytes ahead first. */
static inline bool quote_seek(struct quote_cursor *cursor, const char *key, size_t length,
                              size_t *hint) {
    size_t left = (size_t)(cursor->end - cursor->at);
    if (*hint <= left && quote_starts(cursor->at + *hint, cursor->end, key, length)) {
        cursor->at += *hint + length;
        return true;
    }
    const char *found = memmem(cursor->at, left, key, length);
    if (found == NULL) return false;
    *hint = (size_t)(found - cursor->at);
    cursor->at = found + length;
    return true;
}

/* Reads decimal digits up to the byte `stop`, which must follow. */
static inline bool quote_number(struct quote_cursor *cursor, char stop, uint64_t *value) {
    const char *at = cursor->at;
    uint64_t number = 0;
    for (; at < cursor->end && (unsigned)(*at - '0') < 10; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (at == cursor->at || at == cursor->end || *at != stop) return false;
    cursor->at = at;
    *value = number;
    return true;
}

#define QUOTE_SEEK(cursor, key, hint) quote_seek(cursor, key, sizeof(key) - 1, hint)
#define QUOTE_STARTS(at, end, text) quote_starts(at, end, text, sizeof(text) - 1)

static inline bool quote_fields(struct quote_cursor *cursor, struct quote_hints *hints,
                                struct quote *quote) {
    return QUOTE_SEEK(cursor, "\"symbol\":\"S:SYM", &hints->symbol) &&
           quote_number(cursor, '"', &quote->symbol) &&
           QUOTE_SEEK(cursor, "\"bid_size\":\"", &hints->published) &&
           quote_number(cursor, '"', &quote->published_us) &&
           QUOTE_SEEK(cursor, "\"ask_size\":\"", &hints->due) &&
           quote_number(cursor, '"', &quote->due_us) &&
           QUOTE_SEEK(cursor, "\"seq\":", &hints->seq) && quote_number(cursor, '}', &quote->seq);
}

/* What has no sequence of its own has it for a price. */
static inline bool market_fields(struct quote_cursor *cursor, struct quote_hints *hints,
                                 struct quote *quote) {
    return QUOTE_SEEK(cursor, "\"symbol\":\"S:SYM", &hints->symbol) &&
           quote_number(cursor, '"', &quote->symbol) &&
           QUOTE_SEEK(cursor, "\"price\":", &hints->seq) &&
           quote_number(cursor, ',', &quote->seq) &&
           QUOTE_SEEK(cursor, "\"bid\":", &hints->published) &&
           quote_number(cursor, ',', &quote->published_us) &&
           QUOTE_SEEK(cursor, "\"ask\":", &hints->due) && quote_number(cursor, ',', &quote->due_us);
}

static inline enum quote_kind market_read(const char *text, size_t length,
                                          struct quote_hints *hints, struct quote *quote) {
    struct quote_cursor cursor = {text, text + length};
    bool whole = market_fields(&cursor, hints, quote) &&
                 QUOTE_STARTS(cursor.at, cursor.end, ",\"last_update\":") &&
                 QUOTE_STARTS(cursor.end - 1, cursor.end, "}");
    return whole ? QUOTE_LIVE : QUOTE_MALFORMED;
}

/* What the message is; `quote` is filled when it is QUOTE_LIVE. */
static inline enum quote_kind quote_read(const char *text, size_t length,
                                         struct quote_hints *hints, struct quote *quote) {
    struct quote_cursor cursor = {text, text + length};
    if (QUOTE_STARTS(text, cursor.end, "{\"type\":\"MarketData\","))
        return market_read(text, length, hints, quote);
    if (!QUOTE_STARTS(text, cursor.end, "{\"type\":\"quote\",")) return QUOTE_OTHER;
    bool whole = quote_fields(&cursor, hints, quote);
    if (whole && QUOTE_STARTS(text, cursor.end, "{\"type\":\"quote\",\"id\":\"evt_") &&
        QUOTE_STARTS(cursor.at, cursor.end, "},\"timestamp\":\"") &&
        QUOTE_STARTS(cursor.end - 3, cursor.end, "Z\"}"))
        return QUOTE_LIVE;
    static const char mark[] = "\"snapshot\":true";
    return memmem(text, length, mark, sizeof mark - 1) != NULL ? QUOTE_SNAPSHOT : QUOTE_MALFORMED;
}

#endif
