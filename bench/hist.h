/* hist.h: a log-linear histogram of microseconds, 64 sub-buckets per power of two.
 *
 * Values below 64 are exact; above, a bucket is at most 1.6 % wide. Adding is two increments.
 */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HIST_SUB_BITS 6
#define HIST_SUB (1u << HIST_SUB_BITS)
#define HIST_POWERS 34 /* up to 2^39 us, six days */
#define HIST_SLOTS ((HIST_POWERS + 1) * HIST_SUB)

struct hist {
    uint64_t count;
    uint64_t max;
    uint64_t slots[HIST_SLOTS];
};

static inline void hist_clear(struct hist *hist) { memset(hist, 0, sizeof *hist); }

static inline unsigned hist_slot(uint64_t value) {
    if (value < HIST_SUB) return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HIST_SUB_BITS;
    if (shift >= HIST_POWERS) return HIST_SLOTS - 1;
    return (shift << HIST_SUB_BITS) + (unsigned)(value >> shift);
}

/* The lowest value that falls into the slot. */
static inline uint64_t hist_floor(unsigned slot) {
    if (slot < HIST_SUB) return slot;
    unsigned shift = (slot >> HIST_SUB_BITS) - 1;
    return (uint64_t)(slot - (shift << HIST_SUB_BITS)) << shift;
}

static inline void hist_add(struct hist *hist, uint64_t value) {
    hist->count++;
    hist->slots[hist_slot(value)]++;
    if (value > hist->max) hist->max = value;
}

/* The value that a share `quantile` of the samples does not exceed, rounded up to its slot's end. */
static inline uint64_t hist_quantile(const struct hist *hist, double quantile) {
    double wanted = quantile * (double)hist->count;
    uint64_t seen = 0;
    for (unsigned slot = 0; slot < HIST_SLOTS; slot++) {
        seen += hist->slots[slot];
        if (seen == 0 || (double)seen < wanted) continue;
        uint64_t value = slot + 1 < HIST_SLOTS ? hist_floor(slot + 1) - 1 : hist->max;
        return value < hist->max ? value : hist->max;
    }
    return hist->max;
}

/* One JSON object: percentiles in microseconds, and the filled slots as [lowest value, count]. */
static inline void hist_print(const struct hist *hist, FILE *out) {
    static const struct { const char *name; double quantile; } marks[] = {
        {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999},
    };
    fprintf(out, "{\"count\":%llu,\"max\":%llu", (unsigned long long)hist->count,
            (unsigned long long)hist->max);
    for (unsigned i = 0; i < sizeof marks / sizeof *marks; i++)
        fprintf(out, ",\"%s\":%llu", marks[i].name,
                (unsigned long long)hist_quantile(hist, marks[i].quantile));
    fputs(",\"slots\":[", out);
    const char *comma = "";
    for (unsigned slot = 0; slot < HIST_SLOTS; slot++) {
        if (hist->slots[slot] == 0) continue;
        fprintf(out, "%s[%llu,%llu]", comma, (unsigned long long)hist_floor(slot),
                (unsigned long long)hist->slots[slot]);
        comma = ",";
    }
    fputs("]}", out);
}

#endif
