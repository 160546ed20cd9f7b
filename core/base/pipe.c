#include "core/base/pipe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct head {
    uint32_t kind;
    uint32_t zero;
    uint64_t length;
};

static void await_room(int fd) {
    struct pollfd one = { .fd = fd, .events = POLLOUT };
    poll(&one, 1, 1000);
}

int pipe_write(int fd, uint32_t kind, const void *head, size_t head_length, const void *body,
               size_t body_length) {
    struct head frame = { .kind = kind, .length = head_length + body_length };
    struct iovec parts[3] = {
        { .iov_base = &frame, .iov_len = sizeof frame },
        { .iov_base = (void *)(uintptr_t)head, .iov_len = head_length },
        { .iov_base = (void *)(uintptr_t)body, .iov_len = body_length },
    };
    int first = 0;
    while (first < 3) {
        if (parts[first].iov_len == 0) {
            first++;
            continue;
        }
        struct msghdr message = { .msg_iov = parts + first, .msg_iovlen = (size_t)(3 - first) };
        ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) {
                await_room(fd);
                continue;
            }
            if (errno == EINTR) {
                continue;
            }
            return -1;
        }
        while (n > 0) {
            size_t used = (size_t)n < parts[first].iov_len ? (size_t)n : parts[first].iov_len;
            parts[first].iov_base = (char *)parts[first].iov_base + used;
            parts[first].iov_len -= used;
            n -= (ssize_t)used;
            first += parts[first].iov_len == 0;
        }
    }
    return 0;
}

/* Reads exactly `length` bytes. 1, or 0 at an end before the first byte, or -1. */
static int read_all(int fd, char *bytes, size_t length, int may_break) {
    size_t got = 0;
    while (got < length) {
        ssize_t n = read(fd, bytes + got, length - got);
        if (n == 0) {
            errno = EPROTO;
            return got == 0 && may_break ? 0 : -1;
        }
        if (n < 0 && errno == EINTR && (got > 0 || !may_break)) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        got += (size_t)n;
    }
    return 1;
}

static int frame_ok(const struct head *frame) {
    return frame->zero == 0 && frame->length <= PIPE_MOST;
}

int pipe_head(int fd, uint32_t *kind, uint64_t *length) {
    struct head frame;
    int r = read_all(fd, (char *)&frame, sizeof frame, 1);
    if (r <= 0) {
        return r;
    }
    if (!frame_ok(&frame)) {
        errno = EPROTO;
        return -1;
    }
    *kind = frame.kind;
    *length = frame.length;
    return 1;
}

int pipe_body(int fd, void *bytes, uint64_t length) {
    char dropped[4096];
    int r = 1;
    if (bytes) {
        return length ? read_all(fd, bytes, (size_t)length, 0) : 1;
    }
    while (r > 0 && length > 0) {
        size_t n = length < sizeof dropped ? (size_t)length : sizeof dropped;
        r = read_all(fd, dropped, n, 0);
        length -= n;
    }
    return r;
}

int pipe_read(int fd, uint32_t *kind, struct buf *into) {
    uint64_t length;
    int r = pipe_head(fd, kind, &length);
    if (r <= 0) {
        return r;
    }
    buf_clear(into);
    return pipe_body(fd, buf_more(into, (size_t)length), length);
}

int pipe_take(const struct buf *held, size_t *taken, uint32_t *kind, const char **bytes,
              size_t *length) {
    struct head frame;
    if (held->length - *taken < sizeof frame) {
        return 0;
    }
    memcpy(&frame, held->data + *taken, sizeof frame);
    if (!frame_ok(&frame)) {
        return -1;
    }
    if (held->length - *taken - sizeof frame < frame.length) {
        return 0;
    }
    *kind = frame.kind;
    *bytes = held->data + *taken + sizeof frame;
    *length = (size_t)frame.length;
    *taken += sizeof frame + (size_t)frame.length;
    return 1;
}
