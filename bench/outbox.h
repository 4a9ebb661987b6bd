/* outbox.h: bytes that wait for one socket, bounded: past OUTBOX_MAX a message is dropped whole. */
#ifndef BENCH_OUTBOX_H
#define BENCH_OUTBOX_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define OUTBOX_MAX (1u << 20)

struct outbox {
    uint8_t *bytes;
    size_t from, to, size;
};

static inline bool outbox_empty(const struct outbox *box) { return box->from == box->to; }

static inline void outbox_grow(struct outbox *box, size_t length) {
    memmove(box->bytes, box->bytes + box->from, box->to - box->from);
    box->to -= box->from;
    box->from = 0;
    if (box->to + length <= box->size) return;
    box->size = 2 * (box->to + length);
    box->bytes = realloc(box->bytes, box->size);
    if (box->bytes == NULL) abort();
}

/* False when the bound is reached and nothing was appended. */
static inline bool outbox_append(struct outbox *box, const uint8_t *bytes, size_t length) {
    if (box->to - box->from + length > OUTBOX_MAX) return false;
    if (box->bytes == NULL || box->to + length > box->size) {
        if (box->bytes == NULL) box->bytes = malloc(box->size = 2 * length);
        if (box->bytes == NULL) abort();
        outbox_grow(box, length);
    }
    memcpy(box->bytes + box->to, bytes, length);
    box->to += length;
    return true;
}

/* One send of all that waits; false when the socket is broken. */
static inline bool outbox_flush(struct outbox *box, int fd) {
    if (outbox_empty(box)) return true;
    ssize_t sent = send(fd, box->bytes + box->from, box->to - box->from, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    box->from += (size_t)sent;
    if (outbox_empty(box)) box->from = box->to = 0;
    return true;
}

static inline void outbox_free(struct outbox *box) {
    free(box->bytes);
    memset(box, 0, sizeof *box);
}

#endif
