/* readers: many readers of one run's events at once, over Server-Sent Events and WebSocket, for the soak test.
 *
 * usage: soak_readers PORT KEY PROJECT_ID RUN_ID EVENTS SSE WEBSOCKETS SILENT SERVER_PID
 * Prints "ready" when all are connected, and the figures when all have read to the end. Half of the readers disconnect
 * at random and resume from where they stood; SILENT ones ask and never read. Exits with 1 when a reader has not had
 * exactly the sequence 1..EVENTS with the contents that all others had. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024, STALL_S = 60, DELAYS_MAX = 4000000 };
enum kind { SSE, WEBSOCKET, SILENT_SSE, SILENT_WEBSOCKET };
enum stage { CONNECTING, HEADERS, READING, DONE };

struct reader {
    enum kind kind;
    enum stage stage;
    int fd;
    bool leaves; /* disconnects at random */
    long sequence, leave_at, resumed;
    long chunk_left; /* of the chunk at hand; 0: in a size line; of SSE alone */
    long chunk_size; /* as far as its line was read */
    size_t len;
    char *buffer;
};

static struct {
    int port, epoll_fd, pid;
    const char *key, *project, *run;
    long events, resumptions, waiting, reading;
    uint64_t *sums[2]; /* by kind and sequence: what the first who had the event had; 0: nobody yet */
    int32_t *delays_us;
    size_t delay_count;
    bool has_failed, is_measuring;
} soak;

static void fail(const struct reader *reader, const char *what, long a, long b) {
    fprintf(stderr, "readers: %s reader at %ld: %s (%ld, %ld)\n", reader->kind == SSE ? "SSE" : "WebSocket",
            reader->sequence, what, a, b);
    soak.has_failed = true;
}

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static uint64_t sum_of(const char *data, size_t len) { /* FNV-1a */
    uint64_t sum = 0xcbf29ce484222325;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (unsigned char)data[i]) * 0x100000001b3;
    return sum ? sum : 1;
}

static bool is_silent(const struct reader *reader) {
    return reader->kind >= SILENT_SSE;
}

/* ---- Connecting ---- */

static void send_all(const struct reader *reader, const char *data, size_t len) {
    if (send(reader->fd, data, len, MSG_NOSIGNAL) != (ssize_t)len) {
        fprintf(stderr, "readers: send: %s\n", strerror(errno));
        exit(1);
    }
}

static void connect_reader(struct reader *reader) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)soak.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = reader};
    int small = 4096, yes = 1;
    char request[1024];
    reader->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (is_silent(reader))
        setsockopt(reader->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    setsockopt(reader->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (reader->fd < 0 || connect(reader->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fprintf(stderr, "readers: connect: %s\n", strerror(errno));
        exit(1);
    }
    fcntl(reader->fd, F_SETFL, O_NONBLOCK);
    reader->stage = HEADERS;
    reader->len = 0;
    reader->chunk_left = reader->chunk_size = 0;
    if (reader->kind == SSE || reader->kind == SILENT_SSE)
        snprintf(request, sizeof request,
                 "GET /v1/projects/%s/runs/%s/events/stream HTTP/1.1\r\nHost: soak\r\nAuthorization: Bearer %s\r\n"
                 "Accept: text/event-stream\r\nLast-Event-ID: %ld\r\n\r\n",
                 soak.project, soak.run, soak.key, reader->sequence);
    else
        snprintf(request, sizeof request,
                 "GET /v1/ws HTTP/1.1\r\nHost: soak\r\nAuthorization: Bearer %s\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "\r\n",
                 soak.key);
    send_all(reader, request, strlen(request));
    epoll_ctl(soak.epoll_fd, EPOLL_CTL_ADD, reader->fd, &event);
    reader->leave_at = reader->leaves ? reader->sequence + 20 + random() % (soak.events / 4 + 1) : -1;
}

/* One masked frame; the mask is of zeroes, which is one. */
static void send_frame(const struct reader *reader, int opcode, const char *text, size_t len) {
    char frame[1024];
    size_t at = 0;
    frame[at++] = (char)(0x80 | opcode);
    if (len < 126) {
        frame[at++] = (char)(0x80 | len);
    } else {
        frame[at++] = (char)(0x80 | 126);
        frame[at++] = (char)(len >> 8);
        frame[at++] = (char)len;
    }
    memset(frame + at, 0, 4);
    memcpy(frame + at + 4, text, len);
    send_all(reader, frame, at + 4 + len);
}

static void disconnect(struct reader *reader) {
    close(reader->fd); /* which takes it out of the epoll set */
    reader->fd = -1;
}

static void finish(struct reader *reader) {
    disconnect(reader);
    reader->stage = DONE;
    soak.reading--;
    if (reader->sequence != soak.events)
        fail(reader, "ended before the last event", reader->sequence, soak.events);
}

/* ---- Events ---- */

static long number_after(const char *text, const char *key, long fallback) {
    const char *at = strstr(text, key);
    return at ? strtol(at + strlen(key), NULL, 10) : fallback;
}

/* data is NUL-terminated. */
static void take_event(struct reader *reader, long sequence, const char *data, size_t len) {
    if (sequence != reader->sequence + 1)
        fail(reader, "a hole or a double", sequence, reader->sequence + 1);
    if (sequence < 1 || sequence > soak.events)
        return;
    uint64_t sum = sum_of(data, len), *first = &soak.sums[reader->kind][sequence];
    if (!*first)
        *first = sum;
    if (*first != sum)
        fail(reader, "other contents than another reader had", sequence, 0);
    reader->sequence = sequence;
    long sent_us = number_after(data, "\"sentUs\":", 0);
    if (sent_us && !reader->leaves && soak.delay_count < DELAYS_MAX)
        soak.delays_us[soak.delay_count++] = (int32_t)(now_us() - sent_us);
}

/* True when the reader went away, and came back. */
static bool maybe_leave(struct reader *reader) {
    if (reader->leave_at < 0 || reader->sequence < reader->leave_at || reader->sequence >= soak.events)
        return false;
    disconnect(reader);
    soak.resumptions++;
    reader->resumed++;
    connect_reader(reader);
    return true;
}

static void consume(struct reader *reader, size_t count) {
    memmove(reader->buffer, reader->buffer + count, reader->len - count);
    reader->len -= count;
}

/* Takes the chunks' framing out of what came since the buffer had `from` bytes (RFC 9112, 7.1). */
static void unchunk(struct reader *reader, size_t from) {
    size_t out = from;
    for (size_t at = from; at < reader->len; at++) {
        char byte = reader->buffer[at];
        if (reader->chunk_left > 2) {
            reader->buffer[out++] = byte;
            reader->chunk_left--;
        } else if (reader->chunk_left > 0) { /* the line's end behind the chunk */
            reader->chunk_left--;
        } else if (byte == '\n') {
            reader->chunk_left = reader->chunk_size ? reader->chunk_size + 2 : 0;
            reader->chunk_size = 0;
        } else if (byte != '\r') {
            int digit = byte <= '9' ? byte - '0' : (byte | 32) - 'a' + 10;
            reader->chunk_size = reader->chunk_size * 16 + digit;
        }
    }
    reader->len = out;
}

static void read_sse(struct reader *reader) {
    char *at = reader->buffer, *end;
    reader->buffer[reader->len] = '\0';
    while ((end = strstr(at, "\n\n")) != NULL) {
        char *id = strstr(at, "id: "), *data;
        *end = '\0';
        if (id && id < end && (data = strstr(id, "data: ")) != NULL) {
            take_event(reader, strtol(id + 4, NULL, 10), data + 6, (size_t)(end - data - 6));
            if (maybe_leave(reader))
                return;
        }
        at = end + 2;
    }
    consume(reader, (size_t)(at - reader->buffer));
}

static void subscribe(struct reader *reader) {
    char text[256];
    int len = snprintf(text, sizeof text, "{\"type\":\"subscribe\",\"channel\":\"run:%s\",\"after\":%ld}", soak.run,
                       reader->sequence);
    send_frame(reader, 1, text, (size_t)len);
}

/* True when the reader is done or has left: its buffer is another's now. */
static bool take_frame(struct reader *reader, int opcode, char *data, size_t len) {
    char after = data[len];
    bool has_left = false;
    data[len] = '\0';
    if (opcode == 9) {
        send_frame(reader, 10, data, len);
    } else if (opcode == 8) {
        fail(reader, "closed by the server", (long)((unsigned char)data[0] << 8 | (unsigned char)data[1]), 0);
        finish(reader);
        return true;
    } else if (strncmp(data, "{\"type\":\"event\"", 15) == 0) {
        take_event(reader, number_after(data, "\"sequence\":", 0), data, len);
        has_left = maybe_leave(reader);
    } else if (strncmp(data, "{\"type\":\"complete\"", 18) == 0) {
        finish(reader);
        return true;
    } else if (strncmp(data, "{\"type\":\"error\"", 15) == 0) {
        fprintf(stderr, "readers: %s\n", data);
        soak.has_failed = true;
    }
    if (!has_left)
        data[len] = after;
    return has_left;
}

static void read_frames(struct reader *reader) {
    size_t at = 0;
    while (reader->len - at >= 2) {
        unsigned char *frame = (unsigned char *)reader->buffer + at;
        size_t len = frame[1] & 127, head = 2;
        if (len == 126) {
            if (reader->len - at < 4)
                break;
            len = (size_t)frame[2] << 8 | frame[3];
            head = 4;
        } else if (len == 127) {
            fail(reader, "a frame too long", 0, 0);
            exit(1);
        }
        if (reader->len - at < head + len)
            break;
        if (take_frame(reader, frame[0] & 15, (char *)frame + head, len))
            return;
        at += head + len;
    }
    consume(reader, at);
}

static bool read_headers(struct reader *reader) {
    reader->buffer[reader->len] = '\0';
    char *end = strstr(reader->buffer, "\r\n\r\n");
    if (!end)
        return false;
    const char *expected = reader->kind == SSE || reader->kind == SILENT_SSE ? "HTTP/1.1 200" : "HTTP/1.1 101";
    if (strncmp(reader->buffer, expected, 12) != 0) {
        fprintf(stderr, "readers: answered %.200s\n", reader->buffer);
        exit(1);
    }
    consume(reader, (size_t)(end + 4 - reader->buffer));
    reader->stage = READING;
    if (reader->kind == WEBSOCKET || reader->kind == SILENT_WEBSOCKET)
        subscribe(reader);
    if (!reader->resumed)
        soak.waiting--;
    if (is_silent(reader)) /* from now on it never reads */
        epoll_ctl(soak.epoll_fd, EPOLL_CTL_DEL, reader->fd, NULL);
    return !is_silent(reader);
}

static void on_ready(struct reader *reader) {
    int fd = reader->fd;
    for (;;) {
        ssize_t got = recv(fd, reader->buffer + reader->len, BUFFER_BYTES - 1 - reader->len, 0);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            if (reader->kind == SSE && got == 0 && reader->sequence == soak.events) {
                finish(reader);
                return;
            }
            fail(reader, "the connection ended", got, errno);
            finish(reader);
            return;
        }
        size_t before = reader->len;
        reader->len += (size_t)got;
        if (reader->stage == HEADERS) {
            if (!read_headers(reader))
                return;
            before = 0;
        }
        if (reader->kind == SSE)
            unchunk(reader, before);
        if (reader->kind == SSE)
            read_sse(reader);
        else
            read_frames(reader);
        if (reader->fd != fd)
            return;
    }
}

/* ---- The whole ---- */

static long rss_kib(void) {
    char path[64];
    long pages = 0, total = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", soak.pid);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%ld %ld", &total, &pages) != 2)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int by_value(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static double delay_ms(double share) {
    return soak.delay_count ? soak.delays_us[(size_t)(share * (double)(soak.delay_count - 1))] / 1000.0 : 0;
}

/* Until nobody is left to wait for; false when nothing came for long. */
static bool turn(const long *left) {
    struct epoll_event events[256];
    while (*left > 0) {
        int count = epoll_wait(soak.epoll_fd, events, 256, STALL_S * 1000);
        if (count == 0) {
            fprintf(stderr, "readers: nothing came for %d s; %ld are waiting\n", STALL_S, *left);
            return false;
        }
        for (int i = 0; i < count; i++)
            on_ready(events[i].data.ptr);
    }
    return true;
}

static void connect_all(struct reader *readers, const long counts[4]) {
    struct reader *reader = readers;
    for (int kind = SSE; kind <= SILENT_WEBSOCKET; kind++)
        for (long i = 0; i < counts[kind]; i++, reader++) {
            *reader = (struct reader){.kind = (enum kind)kind, .leaves = kind <= WEBSOCKET && i % 2 == 0};
            reader->buffer = malloc(BUFFER_BYTES);
            connect_reader(reader);
            soak.waiting++;
            soak.reading += !is_silent(reader);
        }
}

int main(int argc, char **argv) {
    if (argc != 10) {
        fprintf(stderr, "usage: soak_readers PORT KEY PROJECT_ID RUN_ID EVENTS SSE WEBSOCKETS SILENT SERVER_PID\n");
        return 2;
    }
    long silent = atol(argv[8]), counts[4] = {atol(argv[6]), atol(argv[7]), silent / 2, silent - silent / 2};
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    soak.port = atoi(argv[1]);
    soak.key = argv[2];
    soak.project = argv[3];
    soak.run = argv[4];
    soak.events = atol(argv[5]);
    soak.pid = atoi(argv[9]);
    soak.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < 2; i++)
        soak.sums[i] = calloc((size_t)soak.events + 1, sizeof *soak.sums[i]);
    soak.delays_us = malloc(DELAYS_MAX * sizeof *soak.delays_us);
    size_t count = (size_t)(counts[0] + counts[1] + counts[2] + counts[3]);
    struct reader *readers = calloc(count, sizeof *readers);
    srandom(7);
    connect_all(readers, counts);
    if (!turn(&soak.waiting))
        return 1;
    long before_kib = rss_kib();
    printf("ready\n");
    fflush(stdout);
    bool is_whole = turn(&soak.reading);
    long grown_kib = rss_kib() - before_kib;
    qsort(soak.delays_us, soak.delay_count, sizeof *soak.delays_us, by_value);
    printf("{\"sse\":%ld,\"websockets\":%ld,\"silent\":%ld,\"events\":%ld,\"resumptions\":%ld,\"exact\":%s,"
           "\"deliveries\":%zu,\"p50Ms\":%.1f,\"p99Ms\":%.1f,\"maxMs\":%.1f,\"serverKiB\":%ld,\"grownKiB\":%ld}\n",
           counts[0], counts[1], silent, soak.events, soak.resumptions, is_whole && !soak.has_failed ? "true" : "false",
           soak.delay_count, delay_ms(0.5), delay_ms(0.99), delay_ms(1), before_kib + grown_kib, grown_kib);
    for (size_t i = 0; i < count; i++)
        free(readers[i].buffer);
    free(readers);
    for (int i = 0; i < 2; i++)
        free(soak.sums[i]);
    free(soak.delays_us);
    return is_whole && !soak.has_failed ? 0 : 1;
}
