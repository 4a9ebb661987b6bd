/* lines.h: commands, one a line, from a non-blocking descriptor. */
#ifndef BENCH_LINES_H
#define BENCH_LINES_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

struct lines {
    char text[256];
    size_t length;
};

/* Reads what is there; false at the end of the input or on a line that does not fit. */
static inline bool lines_fill(struct lines *lines, int fd) {
    size_t room = sizeof lines->text - lines->length;
    ssize_t got = read(fd, lines->text + lines->length, room);
    if (got > 0) lines->length += (size_t)got;
    return got > 0 || (got < 0 && errno == EAGAIN);
}

/* Takes the next whole line, without its newline, into `line`. */
static inline bool lines_next(struct lines *lines, char line[sizeof lines->text]) {
    char *newline = memchr(lines->text, '\n', lines->length);
    if (newline == NULL) return false;
    size_t length = (size_t)(newline - lines->text);
    memcpy(line, lines->text, length);
    line[length] = '\0';
    lines->length -= length + 1;
    memmove(lines->text, newline + 1, lines->length);
    return true;
}

#endif
