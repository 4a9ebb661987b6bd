/* pingpong: the floor of lock-step. It sends one client recorded batches, each when the last one
 * has been answered, and does nothing else.
 *
 *   pingpong FILE [epoll]
 *
 * FILE holds, batch by batch, its size in bytes (uint32, of this machine) and its frames. An answer
 * is one masked frame; what it says is not looked at. It prints `PORT n`, then serves one client
 * after another until its input ends. With `epoll` it waits for readiness before it reads, as a
 * server of many clients must.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "ws.h"

#define REQUEST_MAX 8192
#define COMPLETE "{\"type\":\"connection\",\"event\":\"BACKTEST_COMPLETE\"}"

static const uint8_t *batches;
static size_t total;
static int epoll_fd = -1;

__attribute__((noreturn)) static void fail(const char *what) {
    fprintf(stderr, "pingpong: %s: %s\n", what, strerror(errno));
    exit(1);
}

static bool send_all(int fd, const uint8_t *data, size_t size) {
    while (size > 0) {
        const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0) return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool upgrade(int fd) {
    char request[REQUEST_MAX + 1], accept[WS_ACCEPT_LENGTH + 1], answer[256];
    size_t size = 0;
    do {
        const ssize_t got = recv(fd, request + size, REQUEST_MAX - size, 0);
        if (got <= 0) return false;
        size += (size_t)got;
        request[size] = '\0';
    } while (strstr(request, "\r\n\r\n") == NULL);
    const char *key = strcasestr(request, "Sec-WebSocket-Key: ");
    if (key == NULL) return false;
    ws_accept_key(key + 19, accept);
    const int length = snprintf(answer, sizeof answer,
                                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                                accept);
    return send_all(fd, (const uint8_t *)answer, (size_t)length);
}

/* Reads until one masked frame is whole. */
static bool answered(int fd) {
    static uint8_t room[1 << 18];
    size_t size = 0;
    for (;;) {
        struct epoll_event event;
        if (epoll_fd >= 0 && epoll_wait(epoll_fd, &event, 1, -1) != 1) return false;
        const ssize_t got = recv(fd, room + size, sizeof room - size, 0);
        if (got <= 0) return false;
        size += (size_t)got;
        if (size < 8) continue;
        size_t length = room[1] & 0x7f, header = 6;
        if (length == 126) length = (size_t)room[2] << 8 | room[3], header = 8;
        if (size >= header + length) return true;
    }
}

static void serve(int fd) {
    static const uint8_t done[] = {0x88, 2, 1000 >> 8, 1000 & 0xff};
    uint8_t last[WS_HEADER_MAX + sizeof COMPLETE];
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (!upgrade(fd)) return;
    if (epoll_fd >= 0) {
        struct epoll_event event = {.events = EPOLLIN};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    }
    for (size_t at = 0; at < total;) {
        uint32_t size;
        memcpy(&size, batches + at, sizeof size);
        at += sizeof size;
        if (!send_all(fd, batches + at, size) || !answered(fd)) return;
        at += size;
    }
    size_t size = ws_write_header(last, WS_TEXT, sizeof COMPLETE - 1);
    memcpy(last + size, COMPLETE, sizeof COMPLETE - 1);
    send_all(fd, last, size + sizeof COMPLETE - 1);
    send_all(fd, done, sizeof done);
}

static void load(const char *path) {
    struct stat status;
    const int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &status) != 0) fail(path);
    total = (size_t)status.st_size;
    batches = mmap(NULL, total, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (batches == MAP_FAILED) fail("mmap");
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (argc < 2) return fputs("pingpong FILE [epoll]\n", stderr), 2;
    if (argc > 2) epoll_fd = epoll_create1(0);
    load(argv[1]);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener, 8) != 0) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("PORT %d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct pollfd ready[2] = {{.fd = listener, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    while (poll(ready, 2, -1) > 0 && !ready[1].revents) {
        const int fd = accept(listener, NULL, NULL);
        if (fd < 0) fail("accept");
        serve(fd);
        close(fd);
    }
    return 0;
}
