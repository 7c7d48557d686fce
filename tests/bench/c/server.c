/* A Modbus TCP server for the benchmark: one thread, epoll, any number of connections, every register its own
 * address; unit 247 never answers. Prints its port. Usage: server [delay_ms]; with a delay each reply is sent that
 * much later. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define MOST 4096
struct later { double at; int fd; int size; uint8_t reply[260]; };
static struct later queue[MOST];
static int head, tail;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static int answer(const uint8_t *request, uint8_t *reply) {
    int address = request[8] << 8 | request[9], count = request[10] << 8 | request[11];
    memcpy(reply, request, 8);
    reply[4] = (3 + 2 * count) >> 8;
    reply[5] = (3 + 2 * count) & 255;
    reply[8] = 2 * count;
    for (int i = 0; i < count; i++) {
        reply[9 + 2 * i] = (address + i) >> 8 & 255;
        reply[10 + 2 * i] = (address + i) & 255;
    }
    return 9 + 2 * count;
}

int main(int argc, char **argv) {
    double delay = argc > 1 ? atof(argv[1]) / 1000 : 0;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int one = 1, door = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN); /* a client may leave while its reply is on its way */
    if (bind(door, (struct sockaddr *)&at, size) || listen(door, 512)) return 1;
    getsockname(door, (struct sockaddr *)&at, &size);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = door}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, door, &event);
    for (;;) {
        int wait = -1;
        if (head != tail) {
            double left = queue[head].at - now();
            wait = left > 0 ? (int)(left * 1000) + 1 : 0;
        }
        int n = epoll_wait(poll, events, 256, wait);
        while (head != tail && queue[head].at <= now()) {
            if (write(queue[head].fd, queue[head].reply, queue[head].size) < 0) { /* the client has left */ }
            head = (head + 1) % MOST;
        }
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == door) {
                event.data.fd = accept(door, 0, 0);
                setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event);
                continue;
            }
            uint8_t request[4096], reply[260];
            int got = read(fd, request, sizeof request);
            if (got <= 0) { close(fd); continue; }
            for (int from = 0; from + 12 <= got; from += 12) {
                if (request[from + 6] == 247) continue;
                if (delay == 0) {
                    int octets = answer(request + from, reply);
                    if (write(fd, reply, octets) < 0) { close(fd); break; }
                    continue;
                }
                struct later *later = &queue[tail];
                tail = (tail + 1) % MOST;
                later->at = now() + delay;
                later->fd = fd;
                later->size = answer(request + from, later->reply);
            }
        }
    }
}
