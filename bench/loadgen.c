/* loadgen: thousands of WebSocket sessions in one epoll process, counting what they receive.
 *
 * Session i of N asks for --per-session of --symbols symbols, drawn by --seed, in its query string.
 * The first --stall of them stop reading after their welcome. When all have theirs it prints
 * `READY {...}`; then it obeys, line by line on its standard input:
 *
 *   RESET      clears counters and histograms, but not sequences
 *   EXPECT n   prints a JSON line when every session has its share of the n quotes published so
 *              far, or when nothing has come for --patience seconds
 *
 * and leaves at the end of it. Latency is now, read once per recv, less the stamp in the message.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "clock.h"
#include "credit.h"
#include "lines.h"
#include "quote_cache.h"
#include "tally.h"
#include "ws.h"

#define READ_SIZE (256 * 1024)
#define REQUEST_MAX 8192
#define EVENTS 512
#define STDIN_TAG UINT32_MAX
#define CONNECT_PATIENCE_US 20000000u

enum phase { CONNECTING, UPGRADING, WELCOMING, LIVE, STALLED, CLOSED };

struct session {
    int fd;
    enum phase phase;
    uint64_t received;
    uint8_t *carry; /* an unfinished frame or response head */
    size_t carry_length, carry_size;
    char accept[WS_ACCEPT_LENGTH + 1];
};

struct options {
    const char *host, *path;
    int port, credit_fd, patience;
    uint32_t sessions, stall, symbols, per_session, seed, wave;
};

static struct options options = {
    .host = "127.0.0.1", .path = "/ws", .credit_fd = -1, .patience = 5, .sessions = 1,
    .symbols = 1, .per_session = 1, .seed = 1, .wave = 128,
};
static struct session *sessions;
static struct tally tally;
static struct credit credit;
static struct quote_cache quotes;
static struct lines commands;
static uint8_t *buffer; /* READ_SIZE, and room for a carry before it */
static size_t buffer_size;
static int epoll_fd;
static uint32_t opened, welcomed;
static uint64_t random_state, last_progress_us, last_delivery_ns;
static double cpu_at_reset;
static bool expecting;
static uint64_t expected_quotes, expected_deliveries;

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("loadgen: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static uint64_t draw(void) { /* xorshift64*, Vigna 2014 */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1du;
}

/* ------------------------------------------------------------------ opening sessions */

static void subscribe(uint32_t index) {
    for (uint32_t slot = 0; slot < options.per_session;) {
        uint32_t symbol = (uint32_t)(draw() >> 33) % options.symbols;
        slot += tally_subscribe(&tally, index, slot, symbol);
    }
}

static size_t write_subscriptions(uint32_t index, char *out) {
    const struct stream *streams = &tally.streams[(size_t)index * options.per_session];
    char *at = out;
    for (uint32_t slot = 0; slot < options.per_session; slot++)
        at += sprintf(at, "%sS:SYM%04u:quote", slot == 0 ? "?subscriptions=" : ",",
                      (unsigned)streams[slot].symbol);
    *at = '\0';
    return (size_t)(at - out);
}

static void send_request(uint32_t index) {
    struct session *session = &sessions[index];
    char key[WS_KEY_LENGTH + 1], query[REQUEST_MAX / 2], request[REQUEST_MAX];
    uint64_t nonce[2] = {draw(), draw()};
    ws_base64((uint8_t *)nonce, sizeof nonce, key);
    ws_accept_key(key, session->accept);
    write_subscriptions(index, query);
    int length = snprintf(request, sizeof request,
                          "GET %s%s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                          "Sec-WebSocket-Version: 13\r\n\r\n",
                          options.path, query, options.host, options.port, key);
    if (send(session->fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        fail("session %u: the request was not accepted: %s", index, strerror(errno));
    session->phase = UPGRADING;
}

static void watch(uint32_t index, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.u64 = index};
    if (epoll_ctl(epoll_fd, operation, sessions[index].fd, &event) != 0)
        fail("epoll_ctl: %s", strerror(errno));
}

static void open_session(uint32_t index) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    if (inet_pton(AF_INET, options.host, &address.sin_addr) != 1)
        fail("--host takes an IPv4 address, not %s", options.host);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0) fail("session %u: %s; raise the limit of open files", index, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
        fail("session %u: connect: %s", index, strerror(errno));
    sessions[index].fd = fd;
    watch(index, EPOLLOUT, EPOLL_CTL_ADD);
}

static void open_wave(void) {
    while (opened < options.sessions && opened - welcomed < options.wave) open_session(opened++);
}

static void finish_connect(uint32_t index) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(sessions[index].fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) fail("session %u: connect: %s", index, strerror(error));
    send_request(index);
    watch(index, EPOLLIN, EPOLL_CTL_MOD);
}

/* ------------------------------------------------------------------ what the server sends */

/* The value of a response header inside [head, end), or NULL. */
static const char *header_value(const char *head, const char *end, const char *name) {
    size_t length = strlen(name);
    for (const char *line = head; line != NULL && line + length < end;) {
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
        line = memchr(line, '\n', (size_t)(end - line));
        if (line != NULL) line++;
    }
    return NULL;
}

/* Checks the response head; returns its length, 0 while it is unfinished. */
static size_t take_response(uint32_t index, const char *data, size_t size) {
    struct session *session = &sessions[index];
    const char *stop = memmem(data, size, "\r\n\r\n", 4);
    if (stop == NULL) return 0;
    const char *end = stop + 4, *accept = header_value(data, end, "Sec-WebSocket-Accept");
    const char *upgrade = header_value(data, end, "Upgrade");
    if (strncmp(data, "HTTP/1.1 101", 12) != 0)
        fail("session %u: not upgraded: %.*s", index, (int)strcspn(data, "\r\n"), data);
    if (upgrade == NULL || strncasecmp(upgrade, "websocket\r\n", 11) != 0)
        fail("session %u: the response has no Upgrade: websocket", index);
    if (accept == NULL || strncmp(accept, session->accept, WS_ACCEPT_LENGTH) != 0)
        fail("session %u: wrong Sec-WebSocket-Accept", index);
    session->phase = WELCOMING;
    return (size_t)(end - data);
}

static void take_welcome(uint32_t index, const struct ws_frame *frame) {
    if (memmem(frame->payload, frame->length, "\"CONNECTED\"", 11) == NULL &&
        memmem(frame->payload, frame->length, "\"Connected\"", 11) == NULL) {
        tally.other++;
        return;
    }
    bool stall = index < options.stall;
    sessions[index].phase = stall ? STALLED : LIVE;
    if (stall && epoll_ctl(epoll_fd, EPOLL_CTL_DEL, sessions[index].fd, NULL) != 0)
        fail("epoll_ctl: %s", strerror(errno));
    welcomed++;
    last_progress_us = clock_us();
}

static void reply(uint32_t index, int opcode, const char *payload, size_t length) {
    uint8_t frame[6 + 125];
    size_t size = ws_write_masked(frame, opcode, payload, length, (uint32_t)draw());
    if (send(sessions[index].fd, frame, size, MSG_NOSIGNAL) != (ssize_t)size)
        fprintf(stderr, "loadgen: session %u: a pong was not accepted\n", index);
}

static void take_other(uint32_t index, const struct ws_frame *frame) {
    static const char ping[] = "{\"type\":\"ping\"", pong[] = "{\"type\":\"pong\"}";
    static const char error[] = "{\"type\":\"error\"";
    const char *end = frame->payload + frame->length;
    if (quote_starts(frame->payload, end, ping, sizeof ping - 1)) {
        reply(index, WS_TEXT, pong, sizeof pong - 1);
        return;
    }
    tally.other++;
    if (quote_starts(frame->payload, end, error, sizeof error - 1))
        fprintf(stderr, "loadgen: session %u: %.*s\n", index, (int)frame->length, frame->payload);
}

static void take_quote(uint32_t index, const struct quote *quote, uint64_t now_ns) {
    if (!tally_take(&tally, index, quote, now_ns / 1000)) return;
    if (credit.fd >= 0) credit_take(&credit, sessions[index].received);
    sessions[index].received++;
    last_delivery_ns = now_ns;
}

static void take_message(uint32_t index, const struct ws_frame *frame, uint64_t now_ns) {
    const struct quote *quote;
    if (sessions[index].phase == WELCOMING) {
        take_welcome(index, frame);
        return;
    }
    switch (quote_cache_read(&quotes, frame->payload, frame->length, &quote)) {
    case QUOTE_LIVE: take_quote(index, quote, now_ns); break;
    case QUOTE_SNAPSHOT: tally.snapshots++; break;
    case QUOTE_MALFORMED: tally.malformed++; break;
    case QUOTE_OTHER: take_other(index, frame); break;
    }
}

static void close_session(uint32_t index) {
    if (sessions[index].phase < LIVE) fail("session %u: closed before its welcome", index);
    close(sessions[index].fd);
    sessions[index].phase = CLOSED;
    tally.closed++;
}

static void take_frame(uint32_t index, const struct ws_frame *frame, uint64_t now_ns) {
    switch (frame->opcode) {
    case WS_TEXT:
    case WS_BINARY: take_message(index, frame, now_ns); break;
    case WS_PING: reply(index, WS_PONG, frame->payload, frame->length); break;
    case WS_CLOSE: close_session(index); break;
    case WS_PONG: break;
    default: fail("session %u: opcode %d", index, frame->opcode);
    }
}

/* Takes every whole frame; returns the bytes used. */
static size_t take_frames(uint32_t index, const uint8_t *data, size_t size, uint64_t now_ns) {
    struct session *session = &sessions[index];
    struct ws_frame frame;
    size_t used = 0;
    int whole = 0;
    while (session->phase < STALLED &&
           (whole = ws_read(data + used, size - used, &frame)) == 1) {
        take_frame(index, &frame, now_ns);
        used += frame.total;
    }
    if (whole < 0) fail("session %u: a masked, fragmented or compressed frame", index);
    return session->phase < STALLED ? used : size;
}

static size_t take_bytes(uint32_t index, const uint8_t *data, size_t size, uint64_t now_ns) {
    size_t used = 0;
    if (sessions[index].phase == UPGRADING) used = take_response(index, (const char *)data, size);
    if (sessions[index].phase == UPGRADING) return 0;
    return used + take_frames(index, data + used, size - used, now_ns);
}

static void keep_rest(struct session *session, const uint8_t *rest, size_t length) {
    if (length > session->carry_size) {
        session->carry_size = length + 256;
        session->carry = realloc(session->carry, session->carry_size);
        if (session->carry == NULL) fail("out of memory");
    }
    if (length > 0) memcpy(session->carry, rest, length);
    session->carry_length = length;
}

static void grow_buffer(size_t carry) {
    if (carry + READ_SIZE <= buffer_size) return;
    buffer_size = carry + READ_SIZE;
    buffer = realloc(buffer, buffer_size);
    if (buffer == NULL) fail("out of memory");
}

static void read_session(uint32_t index) {
    struct session *session = &sessions[index];
    size_t carry = session->carry_length;
    grow_buffer(carry);
    if (carry > 0) memcpy(buffer, session->carry, carry);
    ssize_t got = recv(session->fd, buffer + carry, READ_SIZE, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        close_session(index);
        return;
    }
    size_t size = carry + (size_t)got, used = take_bytes(index, buffer, size, clock_ns());
    if (used < size || carry > 0) keep_rest(session, buffer + used, size - used);
}

/* ------------------------------------------------------------------ commands and reports */

static void reset(void) {
    tally_reset(&tally);
    last_delivery_ns = 0;
    cpu_at_reset = clock_cpu();
}

static void report(void) {
    double cpu = clock_cpu() - cpu_at_reset;
    fputc('{', stdout);
    tally_print(&tally, expected_quotes, stdout);
    printf(",\"sessions\":%u,\"stalled\":%u,\"finished\":%.6f,\"cpu\":%.6f}\n", options.sessions,
           options.stall, (double)last_delivery_ns / 1e9, cpu);
    fflush(stdout);
    expecting = false;
}

static void obey(const char *line) {
    unsigned long long quotes;
    if (strcmp(line, "RESET") == 0) {
        reset();
    } else if (sscanf(line, "EXPECT %llu", &quotes) == 1) {
        expected_quotes = quotes;
        expected_deliveries = tally_totals(&tally, quotes).expected;
        last_progress_us = clock_us();
        expecting = true;
    } else {
        fail("unknown command: %s", line);
    }
}

static void read_commands(void) {
    char line[sizeof commands.text];
    if (!lines_fill(&commands, STDIN_FILENO)) exit(0);
    while (lines_next(&commands, line)) obey(line);
}

static void check_expected(void) {
    static uint64_t seen;
    uint64_t now = clock_us();
    if (tally.received != seen) last_progress_us = now;
    seen = tally.received;
    if (seen >= expected_deliveries ||
        now - last_progress_us > (uint64_t)options.patience * 1000000u)
        report();
}

/* ------------------------------------------------------------------ the loop */

static void take_event(const struct epoll_event *event) {
    uint32_t index = (uint32_t)event->data.u64;
    if (index == STDIN_TAG) read_commands();
    else if (sessions[index].phase == CONNECTING) finish_connect(index);
    else read_session(index);
}

static void turn(int timeout_ms) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll_fd, events, EVENTS, timeout_ms);
    if (ready < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < ready; i++) take_event(&events[i]);
    credit_grant(&credit);
    if (expecting) check_expected();
}

static void connect_all(void) {
    uint64_t started = last_progress_us = clock_us();
    while (welcomed < options.sessions) {
        open_wave();
        turn(100);
        if (clock_us() - last_progress_us > CONNECT_PATIENCE_US)
            fail("%u of %u sessions got their welcome", welcomed, options.sessions);
    }
    printf("READY {\"sessions\":%u,\"connect_s\":%.3f}\n", options.sessions,
           (double)(clock_us() - started) / 1e6);
    fflush(stdout);
}

static void read_options(int count, char **arguments) {
    static const struct option known[] = {
        {"host", 1, NULL, 'h'},    {"port", 1, NULL, 'p'},        {"path", 1, NULL, 'P'},
        {"sessions", 1, NULL, 'n'}, {"stall", 1, NULL, 's'},      {"symbols", 1, NULL, 'y'},
        {"seed", 1, NULL, 'r'},    {"per-session", 1, NULL, 'q'}, {"wave", 1, NULL, 'w'},
        {"credit-fd", 1, NULL, 'c'}, {"patience", 1, NULL, 't'},  {"idle", 0, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    for (int name; (name = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        uint32_t number = optarg == NULL ? 0 : (uint32_t)strtoul(optarg, NULL, 10);
        switch (name) {
        case 'h': options.host = optarg; break;
        case 'P': options.path = optarg; break;
        case 'p': options.port = (int)number; break;
        case 'n': options.sessions = number; break;
        case 's': options.stall = number; break;
        case 'y': options.symbols = number; break;
        case 'q': options.per_session = number; break;
        case 'r': options.seed = number; break;
        case 'w': options.wave = number; break;
        case 'c': options.credit_fd = (int)number; break;
        case 't': options.patience = (int)number; break;
        case 'i': options.per_session = 0; break; /* subscribe to nothing: the path as it is */
        default: exit(2);
        }
    }
    if (options.port == 0) fail("--port is missing");
    if (options.stall > options.sessions) fail("--stall is more than --sessions");
    if (options.symbols == 0 || options.per_session > options.symbols) fail("too few --symbols");
    if (options.per_session >= TALLY_SLOTS_MAX) fail("--per-session is at most 200");
    if (options.wave == 0) fail("--wave is at least 1");
}

static void prepare(void) {
    signal(SIGPIPE, SIG_IGN);
    random_state = 0x9e3779b97f4a7c15u + options.seed;
    sessions = calloc(options.sessions + 1, sizeof *sessions);
    grow_buffer(0);
    tally_init(&tally, options.sessions, options.stall, options.symbols, options.per_session);
    for (uint32_t index = 0; index < options.sessions; index++) subscribe(index);
    credit_init(&credit, options.credit_fd, options.sessions - options.stall);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = STDIN_TAG};
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0) fail("no command pipe");
}

int main(int count, char **arguments) {
    read_options(count, arguments);
    prepare();
    connect_all();
    reset();
    for (;;) turn(expecting ? 100 : -1);
}
