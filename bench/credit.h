/* credit.h: flow control of the broadcast case: at most CREDIT_WINDOW publishes in flight.
 *
 * Publish k + CREDIT_WINDOW may start when every counted session has publish k. Sessions receive
 * in order, so counting who still lacks each of the last CREDIT_WINDOW publishes is enough. Each
 * completed publish adds one to an eventfd that the publisher waits on.
 */
#ifndef BENCH_CREDIT_H
#define BENCH_CREDIT_H

#include <stdint.h>
#include <unistd.h>

#define CREDIT_WINDOW 64

struct credit {
    int fd; /* -1: no flow control */
    uint32_t sessions;
    uint32_t lacking[CREDIT_WINDOW];
    uint64_t completed, granted;
};

static inline void credit_init(struct credit *credit, int fd, uint32_t sessions) {
    credit->fd = fd;
    credit->sessions = sessions;
    credit->completed = credit->granted = 0;
    for (int i = 0; i < CREDIT_WINDOW; i++) credit->lacking[i] = sessions;
}

/* A session has its `index`-th message, counted from 0. What lies outside the window is a double
 * that the tally reports, and grants nothing. */
static inline void credit_take(struct credit *credit, uint64_t index) {
    if (index - credit->completed >= CREDIT_WINDOW) return;
    credit->lacking[index % CREDIT_WINDOW]--;
    uint32_t *oldest = &credit->lacking[credit->completed % CREDIT_WINDOW];
    while (*oldest == 0) {
        *oldest = credit->sessions;
        oldest = &credit->lacking[++credit->completed % CREDIT_WINDOW];
    }
}

/* Tells the publisher what completed since the last call. */
static inline void credit_grant(struct credit *credit) {
    uint64_t news = credit->completed - credit->granted;
    if (credit->fd < 0 || news == 0) return;
    if (write(credit->fd, &news, sizeof news) == sizeof news) credit->granted = credit->completed;
}

#endif
