/* lockstep: one client of a backtest. It acknowledges what it has read as soon as it has read it.
 *
 *   lockstep HOST PORT TARGET
 *
 * TARGET is the path with its query. It prints one line when the server closes or hangs up:
 *
 *   {"events": n, "acks": n, "seconds": s, "first": s, "hash": h, "complete": bool, "close": code}
 *
 * `seconds` is from the first event to the last, `first` from the connection's begin to the first
 * event, `hash` one of all events' payloads. It leaves with 1 at an event whose id is not above
 * the last, and for whatever else it does not expect.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "ws.h"

#define ROOM (1u << 20)
#define IDS 8192 /* in one ack; more are several acks */
#define ID_MAX 28
#define KEY "AAAAAAAAAAAAAAAAAAAAAA=="

static struct {
    uint64_t events, acks, last, hash, began_ns, first_ns, last_ns;
    bool complete;
    int close_code;
} tally = {.hash = 14695981039346656037u};

static uint8_t room[ROOM], ack[64 + IDS * ID_MAX + 256];
static uint64_t ids[IDS];
static size_t count;
static int fd;

__attribute__((noreturn)) static void fail(const char *what) {
    fprintf(stderr, "lockstep: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void send_all(const void *data, size_t size) {
    if (send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size) fail("send");
}

static char *put(char *out, const char *text) {
    const size_t size = strlen(text);
    memcpy(out, text, size);
    return out + size;
}

static char *put_number(char *out, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    memcpy(out, digits + at, sizeof digits - at);
    return out + sizeof digits - at;
}

/* A masked text frame around what stands from ack + 14 on. */
static void send_frame(size_t size) {
    static const uint8_t key[4] = {0x5a, 0xc3, 0x17, 0x88};
    uint8_t *payload = ack + 14, header[14];
    size_t length = ws_write_header(header, WS_TEXT, size);
    header[1] |= 0x80;
    memcpy(header + length, key, 4);
    length += 4;
    for (size_t i = 0; i < size; i++) payload[i] ^= key[i & 3];
    memcpy(payload - length, header, length);
    send_all(payload - length, length + size);
}

static void acknowledge(void) {
    char *begin = (char *)ack + 14, *out = begin;
    if (count == 0) return;
    out = put(out, "{\"type\":\"event_ack\",\"correlation_id\":\"550e8400-e29b-41d4-a716-");
    out = put_number(out, 100000000000 + tally.acks++ % 100000000000);
    out = put(out, "\",\"events_processed\":[");
    for (size_t i = 0; i < count; i++) {
        out = put(out, i ? ",\"evt_" : "\"evt_");
        out = put_number(out, ids[i]);
        *out++ = '"';
    }
    out = put(out, "],\"timestamp\":1700000000000}");
    count = 0;
    send_frame((size_t)(out - begin));
}

/* FNV-1a by words of eight bytes, the last one padded with zeros. */
static void mix(const char *text, size_t size) {
    uint64_t word, hash = tally.hash;
    for (; size >= sizeof word; text += sizeof word, size -= sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = (hash ^ word) * 1099511628211u;
    }
    word = 0;
    memcpy(&word, text, size);
    tally.hash = (hash ^ word) * 1099511628211u;
}

static bool take_event(const char *text, size_t size) {
    static const char key[] = "\"id\":\"evt_";
    const char *at = memmem(text, size < 80 ? size : 80, key, sizeof key - 1);
    uint64_t number = 0;
    if (at == NULL) return false;
    for (at += sizeof key - 1; *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (number <= tally.last) {
        fprintf(stderr, "lockstep: evt_%lu came after evt_%lu\n", number, tally.last);
        exit(1);
    }
    tally.last = number;
    mix(text, size);
    if (tally.events++ == 0) tally.first_ns = clock_ns();
    ids[count++] = number;
    if (count == IDS) acknowledge();
    return true;
}

static void take_frame(const struct ws_frame *frame) {
    if (frame->opcode == WS_CLOSE) {
        if (frame->length >= 2)
            tally.close_code = (uint8_t)frame->payload[0] << 8 | (uint8_t)frame->payload[1];
    } else if (frame->opcode == WS_TEXT) {
        if (!take_event(frame->payload, frame->length)) /* the welcome, a ping, the end */
            tally.complete |=
                memmem(frame->payload, frame->length, "BACKTEST_COMPLETE", 17) != NULL;
    }
}

static void connect_to(const char *host, const char *port, const char *target) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    const int yes = 1;
    char request[2048];
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("address");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const int size = snprintf(request, sizeof request,
                              "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: " KEY "\r\n\r\n",
                              target, host);
    send_all(request, (size_t)size);
}

int main(int argc, char **argv) {
    size_t size = 0;
    bool open = false;
    if (argc != 4) return fputs("lockstep HOST PORT TARGET\n", stderr), 2;
    tally.began_ns = clock_ns();
    connect_to(argv[1], argv[2], argv[3]);
    for (;;) {
        const ssize_t got = recv(fd, room + size, ROOM - size, 0);
        size_t at = 0;
        if (got < 0) fail("recv");
        if (got == 0) break;
        size += (size_t)got;
        if (!open) {
            const uint8_t *end = memmem(room, size, "\r\n\r\n", 4);
            if (end == NULL) continue;
            if (memcmp(room, "HTTP/1.1 101", 12) != 0)
                return fprintf(stderr, "lockstep: %.*s\n", (int)size, (char *)room), 1;
            open = true;
            at = (size_t)(end + 4 - room);
        }
        struct ws_frame frame;
        int whole;
        while ((whole = ws_read(room + at, size - at, &frame)) == 1) {
            take_frame(&frame);
            at += frame.total;
        }
        if (whole < 0) return fputs("lockstep: broken frame\n", stderr), 1;
        tally.last_ns = count ? clock_ns() : tally.last_ns;
        acknowledge();
        memmove(room, room + at, size - at);
        size -= at;
        if (tally.close_code) break;
    }
    printf("{\"events\": %lu, \"acks\": %lu, \"seconds\": %.6f, \"first\": %.6f, "
           "\"hash\": \"%016lx\", \"complete\": %s, \"close\": %d}\n",
           tally.events, tally.acks, (double)(tally.last_ns - tally.first_ns) / 1e9,
           (double)(tally.first_ns - tally.began_ns) / 1e9, tally.hash,
           tally.complete ? "true" : "false", tally.close_code);
    return 0;
}
