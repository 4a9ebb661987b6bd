/* floor: what the kernel allows. A WebSocket server that does nothing but publish, in plain C.
 *
 *   one-send   one send for each delivery
 *   coalesced  broadcast: --batch publishes in each send; paced: all that waits for a session in
 *              one send a turn, oldest first
 *
 * Without --rate it broadcasts as fast as the credits on --credit-fd let it, --window publishes in
 * flight; with --rate quote j is due at start + j / rate, and a turn of at best 1 ms publishes all
 * that are due. Quotes go round-robin over --symbols. It prints `PORT n`, then obeys, line by line:
 *
 *   RUN s      publishes for s seconds (paced: s * rate quotes, however long it takes), then
 *              prints {"published": all so far, "started": s, "finished": s, "cpu": at start}
 *   CPU        prints {"cpu": seconds}
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>
#include <sys/epoll.h>

#include "clock.h"
#include "lines.h"
#include "outbox.h"
#include "quote_write.h"
#include "ws.h"

#define EVENTS 512
#define TURN_NS 1000000u /* the pace's grain; a late turn follows at once */
#define REQUEST_MAX 8192
#define STDIN_TAG UINT32_MAX
#define CREDIT_TAG (UINT32_MAX - 1)
#define LISTEN_TAG (UINT32_MAX - 2)

struct session {
    int fd;
    bool live, dirty, blocked;
    struct outbox outbox;
    char *request; /* until the handshake is done */
    size_t request_length;
};

/* One symbol: who subscribed to it, and its sequence. */
struct topic {
    uint32_t *sessions;
    uint32_t count, size;
    uint64_t seq;
};

static struct {
    bool coalesced;
    int credit_fd;
    uint32_t batch, window, symbols, sessions;
    double rate;
} options = {.credit_fd = -1, .batch = 1, .window = 64, .symbols = 1, .sessions = 16384};

static struct {
    bool running;
    uint64_t started_ns, ends_ns, turned_ns;
    uint64_t first, quotes; /* paced: quote first + j for j < quotes */
    double cpu;
} run;

static struct session *sessions;
static struct topic *topics;
static uint32_t session_count, *dirty, dirty_count;
static uint64_t published, completed, dropped;
static struct quote_writer writer;
static struct lines commands;
static uint8_t *batch;
static int epoll_fd, listen_fd;

__attribute__((noreturn)) static void fail(const char *what) {
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(int fd, uint32_t tag, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.u64 = tag};
    if (epoll_ctl(epoll_fd, operation, fd, &event) != 0) fail("epoll_ctl");
}

/* ------------------------------------------------------------------ sessions */

static void close_session(uint32_t index) {
    struct session *session = &sessions[index];
    close(session->fd);
    free(session->request);
    outbox_free(&session->outbox);
    session->request = NULL;
    session->live = false;
}

static void set_blocked(uint32_t index, bool blocked) {
    struct session *session = &sessions[index];
    if (session->blocked == blocked) return;
    session->blocked = blocked;
    watch(session->fd, index, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
}

static void flush(uint32_t index) {
    struct session *session = &sessions[index];
    if (!session->live) return;
    if (outbox_flush(&session->outbox, session->fd))
        set_blocked(index, !outbox_empty(&session->outbox));
    else
        close_session(index);
}

static void append(uint32_t index, const uint8_t *bytes, size_t length) {
    struct session *session = &sessions[index];
    if (!session->live) return;
    if (!outbox_append(&session->outbox, bytes, length)) dropped++;
    if (session->blocked || session->dirty) return;
    session->dirty = true;
    dirty[dirty_count++] = index;
}

/* Sends at once; what the kernel does not take waits for EPOLLOUT. */
static void deliver(uint32_t index, const uint8_t *bytes, size_t length) {
    struct session *session = &sessions[index];
    if (!session->live) return;
    ssize_t sent = 0;
    if (!session->blocked) sent = send(session->fd, bytes, length, MSG_NOSIGNAL);
    if (sent == (ssize_t)length) return;
    if (sent < 0 && errno != EAGAIN) {
        close_session(index);
        return;
    }
    if (sent < 0) sent = 0;
    if (!outbox_append(&session->outbox, bytes + sent, length - (size_t)sent)) dropped++;
    set_blocked(index, true);
}

static void visit_dirty(void) {
    for (uint32_t i = 0; i < dirty_count; i++) {
        sessions[dirty[i]].dirty = false;
        flush(dirty[i]);
    }
    dirty_count = 0;
}

/* ------------------------------------------------------------------ handshake */

static void topic_add(struct topic *topic, uint32_t index) {
    if (topic->count == topic->size) {
        topic->size = topic->size == 0 ? 64 : 2 * topic->size;
        topic->sessions = realloc(topic->sessions, topic->size * sizeof *topic->sessions);
        if (topic->sessions == NULL) fail("memory");
    }
    topic->sessions[topic->count++] = index;
}

/* Reads `S:SYMnnnn:quote,...` behind `subscriptions=` in the request line. */
static void subscribe(uint32_t index, const char *request) {
    const char *end = strstr(request, " HTTP/"), *at = strstr(request, "subscriptions=");
    unsigned symbol;
    if (end == NULL || at == NULL || at > end) return;
    for (at += strlen("subscriptions="); at < end; at++) {
        if (sscanf(at, "S:SYM%u:quote", &symbol) == 1 && symbol < options.symbols)
            topic_add(&topics[symbol], index);
        at = strpbrk(at, ", ");
    }
}

static void send_welcome(uint32_t index, const char *key) {
    static const char welcome[] =
        "{\"type\":\"connection\",\"event\":\"CONNECTED\",\"session_id\":\"floor\","
        "\"timestamp\":\"2025-01-01T00:00:00.000000Z\"}";
    char accept[WS_ACCEPT_LENGTH + 1], head[256];
    uint8_t frame[WS_HEADER_MAX + sizeof welcome];
    ws_accept_key(key, accept);
    int length = snprintf(head, sizeof head,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                          accept);
    size_t header = ws_write_header(frame, WS_TEXT, sizeof welcome - 1);
    memcpy(frame + header, welcome, sizeof welcome - 1);
    deliver(index, (uint8_t *)head, (size_t)length);
    deliver(index, frame, header + sizeof welcome - 1);
}

static void upgrade(uint32_t index) {
    struct session *session = &sessions[index];
    const char *key = strcasestr(session->request, "Sec-WebSocket-Key:");
    if (key != NULL) key += strlen("Sec-WebSocket-Key:"), key += strspn(key, " \t");
    if (key == NULL || strcspn(key, "\r") < WS_KEY_LENGTH) {
        close_session(index);
        return;
    }
    session->live = true;
    send_welcome(index, key);
    subscribe(index, session->request);
    free(session->request);
    session->request = NULL;
}

static void read_request(uint32_t index) {
    struct session *session = &sessions[index];
    size_t room = REQUEST_MAX - 1 - session->request_length;
    ssize_t got = recv(session->fd, session->request + session->request_length, room, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        close_session(index);
        return;
    }
    session->request_length += (size_t)got;
    session->request[session->request_length] = '\0';
    if (strstr(session->request, "\r\n\r\n") != NULL) upgrade(index);
}

static void accept_sessions(void) {
    int fd, one = 1;
    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (session_count == options.sessions) {
            close(fd);
            continue;
        }
        struct session *session = &sessions[session_count];
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        session->fd = fd;
        session->request = malloc(REQUEST_MAX);
        if (session->request == NULL) fail("memory");
        watch(fd, session_count++, EPOLLIN, EPOLL_CTL_ADD);
    }
}

/* What a session says after its handshake is read and thrown away. */
static void discard(uint32_t index) {
    char bytes[4096];
    ssize_t got = recv(sessions[index].fd, bytes, sizeof bytes, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) close_session(index);
}

static void take_session(uint32_t index, uint32_t events) {
    struct session *session = &sessions[index];
    if (session->request != NULL) {
        read_request(index);
        return;
    }
    if (events & EPOLLOUT) flush(index);
    if (session->live && (events & ~(uint32_t)EPOLLOUT)) discard(index);
}

/* ------------------------------------------------------------------ publishing */

static size_t encode(uint8_t *frame, uint32_t symbol, uint64_t due_us) {
    uint64_t now_us = clock_us();
    if (due_us == 0) due_us = now_us;
    published++;
    return quote_write(&writer, frame, symbol, ++topics[symbol].seq, now_us, due_us);
}

static void broadcast(void) {
    size_t length = 0;
    for (uint32_t i = 0; i < options.batch; i++) length += encode(batch + length, 0, 0);
    for (uint32_t i = 0; i < topics[0].count; i++) deliver(topics[0].sessions[i], batch, length);
}

static void publish_paced(uint64_t due_us) {
    uint8_t frame[QUOTE_FRAME_MAX];
    uint32_t symbol = (uint32_t)(published % options.symbols);
    size_t length = encode(frame, symbol, due_us);
    const struct topic *topic = &topics[symbol];
    for (uint32_t i = 0; i < topic->count; i++) {
        if (options.coalesced) append(topic->sessions[i], frame, length);
        else deliver(topic->sessions[i], frame, length);
    }
}

static void finish_run(uint64_t now_ns) {
    run.running = false;
    printf("{\"published\":%llu,\"started\":%.6f,\"finished\":%.6f,\"cpu\":%.6f,"
           "\"dropped\":%llu}\n",
           (unsigned long long)published, (double)run.started_ns / 1e9, (double)now_ns / 1e9,
           run.cpu, (unsigned long long)dropped);
    fflush(stdout);
}

static bool may_broadcast(void) {
    return run.running && published - completed + options.batch <= options.window;
}

static void turn_broadcast(void) {
    uint64_t now = clock_ns();
    if (now >= run.ends_ns) finish_run(now);
    else if (may_broadcast()) broadcast();
}

static void turn_paced(void) {
    uint64_t now = clock_ns(), done = published - run.first;
    if (now - run.turned_ns < TURN_NS) return;
    run.turned_ns = now;
    uint64_t due = (uint64_t)((double)(now - run.started_ns) / 1e9 * options.rate) + 1;
    if (due > run.quotes) due = run.quotes;
    for (; done < due; done++)
        publish_paced(run.started_ns / 1000 + (uint64_t)((double)done * 1e6 / options.rate));
    visit_dirty();
    if (done == run.quotes) finish_run(clock_ns());
}

/* ------------------------------------------------------------------ commands and the loop */

static void start_run(double seconds) {
    run.running = true;
    run.cpu = clock_cpu();
    run.first = published;
    run.quotes = (uint64_t)(seconds * options.rate + 0.5);
    run.started_ns = clock_ns();
    run.ends_ns = run.started_ns + (uint64_t)(seconds * 1e9);
}

static void obey(const char *line) {
    double seconds;
    if (sscanf(line, "RUN %lf", &seconds) == 1) start_run(seconds);
    else if (strcmp(line, "CPU") == 0) printf("{\"cpu\":%.6f}\n", clock_cpu());
    else errno = EINVAL, fail(line);
    fflush(stdout);
}

static void read_commands(void) {
    char line[sizeof commands.text];
    if (!lines_fill(&commands, STDIN_FILENO)) exit(0);
    while (lines_next(&commands, line)) obey(line);
}

static void read_credit(void) {
    uint64_t news;
    if (read(options.credit_fd, &news, sizeof news) == sizeof news) completed += news;
}

static void take_event(const struct epoll_event *event) {
    uint32_t tag = (uint32_t)event->data.u64;
    if (tag == STDIN_TAG) read_commands();
    else if (tag == CREDIT_TAG) read_credit();
    else if (tag == LISTEN_TAG) accept_sessions();
    else take_session(tag, event->events);
}

static int patience_ms(void) {
    if (!run.running) return -1;
    bool now = options.rate > 0 ? clock_ns() - run.turned_ns >= TURN_NS : may_broadcast();
    return now ? 0 : 1;
}

static void turn(void) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll_fd, events, EVENTS, patience_ms());
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < ready; i++) take_event(&events[i]);
    if (!run.running) return;
    if (options.rate > 0) turn_paced();
    else turn_broadcast();
}

static void start_listening(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listen_fd < 0 || bind(listen_fd, (struct sockaddr *)&address, size) != 0 ||
        listen(listen_fd, 1024) != 0 ||
        getsockname(listen_fd, (struct sockaddr *)&address, &size) != 0)
        fail("listen");
    watch(listen_fd, LISTEN_TAG, EPOLLIN, EPOLL_CTL_ADD);
    printf("PORT %d\n", ntohs(address.sin_port));
    fflush(stdout);
}

static void read_options(int count, char **arguments) {
    static const struct option known[] = {
        {"mode", 1, NULL, 'm'},    {"batch", 1, NULL, 'b'},     {"window", 1, NULL, 'w'},
        {"symbols", 1, NULL, 'y'}, {"credit-fd", 1, NULL, 'c'}, {"rate", 1, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    for (int name; (name = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        switch (name) {
        case 'm': options.coalesced = strcmp(optarg, "coalesced") == 0; break;
        case 'b': options.batch = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'w': options.window = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'y': options.symbols = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'c': options.credit_fd = (int)strtoul(optarg, NULL, 10); break;
        case 'r': options.rate = strtod(optarg, NULL); break;
        default: exit(2);
        }
    }
    if (!options.coalesced) options.batch = 1;
    if (options.batch == 0 || options.batch > options.window || options.symbols == 0)
        errno = EINVAL, fail("--batch, --window, --symbols");
}

static void prepare(void) {
    signal(SIGPIPE, SIG_IGN);
    sessions = calloc(options.sessions, sizeof *sessions);
    dirty = calloc(options.sessions, sizeof *dirty);
    topics = calloc(options.symbols, sizeof *topics);
    batch = malloc((size_t)options.batch * QUOTE_FRAME_MAX);
    if (sessions == NULL || dirty == NULL || topics == NULL || batch == NULL) fail("memory");
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    watch(STDIN_FILENO, STDIN_TAG, EPOLLIN, EPOLL_CTL_ADD);
    if (options.credit_fd >= 0)
        watch(options.credit_fd, CREDIT_TAG, EPOLLIN, EPOLL_CTL_ADD);
}

int main(int count, char **arguments) {
    read_options(count, arguments);
    prepare();
    start_listening();
    for (;;) turn();
}
