/*
 * An echo server over POSIX sockets: `echo 9000`. Each connection is a process with three buffers on its stack; nothing is
 * allocated. Messages go back as they come: what is whole at once, what comes in pieces as fragments.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <martlet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Writes out what is in the output. A peer that is gone is noticed when reading. */
static void flush(int peer, martlet_output *output) {
    const uint8_t *from = output->ptr;
    size_t left = output->len;
    while (left > 0) {
        ssize_t sent = send(peer, from, left, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        from += sent;
        left -= (size_t)sent;
    }
    output->len = 0;
}

/* Answers an event; MARTLET_CODE_NO_ROOM if it has to be done again when the output is empty. */
static martlet_code answer(martlet_connection *connection, const martlet_event *event, martlet_output *output) {
    static const martlet_response not_here = {{(const uint8_t *)"an echo for WebSockets\n", 23}, NULL, 0, 404};
    const uint8_t *ptr = event->octets.ptr;
    size_t len = event->octets.len;
    switch (event->type) {
    case MARTLET_EVENT_TYPE_REQUEST:
        if (event->upgrade)
            return martlet_accept(connection, now_ms(), NULL, 0, output);
        return martlet_respond(connection, &not_here, output);
    case MARTLET_EVENT_TYPE_DATA:
        if (!event->first || !event->last)
            return martlet_send_fragment(connection, event->kind, ptr, len, event->last, output);
        if (event->kind == MARTLET_KIND_TEXT)
            return martlet_send_text(connection, ptr, len, output);
        return martlet_send_binary(connection, ptr, len, output);
    default: /* Pings and the Close are answered already. */
        return MARTLET_CODE_OK;
    }
}

/* Drains the input. */
static void turn(int peer, martlet_connection *connection, martlet_input *input, martlet_output *output) {
    for (;;) {
        martlet_event event;
        martlet_code code = martlet_receive(connection, now_ms(), input, output, &event);
        if (code == MARTLET_CODE_MORE)
            return;
        if (code == MARTLET_CODE_OK)
            code = answer(connection, &event, output);
        if (code == MARTLET_CODE_NO_ROOM) {
            flush(peer, output);
            if (event.type != MARTLET_EVENT_TYPE_NONE)
                code = answer(connection, &event, output);
        }
        if (code >= MARTLET_CODE_MISUSE_NULL) {
            fprintf(stderr, "%s (close code %u, status %u)\n", martlet_describe(code), (unsigned)martlet_close_code(code),
                    (unsigned)martlet_http_status(code));
            return;
        }
    }
}

static void serve(int peer, const martlet_config *config) {
    martlet_connection connection;
    uint8_t in[8192], out[8192 + MARTLET_MIN_OUTPUT];
    size_t held = 0; /* What was read and not taken yet is the front of `in`. */
    martlet_output output = {out, sizeof out, 0, 0};
    if (martlet_server_init(&connection, sizeof connection, config, now_ms()) != MARTLET_CODE_OK)
        return;
    while (martlet_state_of(&connection) != MARTLET_STATE_CLOSED) {
        struct pollfd wait = {peer, POLLIN, 0};
        uint64_t due = martlet_poll_timeout(&connection), now = now_ms();
        int ms = due == MARTLET_NEVER ? -1 : due <= now ? 0 : due - now > 60000 ? 60000 : (int)(due - now);
        if (poll(&wait, 1, ms) > 0) {
            ssize_t got = recv(peer, in + held, sizeof in - held, 0);
            martlet_input input = {in, held};
            if (got <= 0)
                break;
            input.len += (size_t)got;
            turn(peer, &connection, &input, &output);
            memmove(in, input.ptr, input.len);
            held = input.len;
        }
        martlet_tick(&connection, now_ms(), &output);
        flush(peer, &output);
    }
    fprintf(stderr, "%s\n", martlet_eof(&connection) ? "closed" : "gone");
    /* What the peer had under way must be read, or its system throws away our last words. */
    shutdown(peer, SHUT_WR);
    for (struct pollfd wait = {peer, POLLIN, 0}; poll(&wait, 1, 1000) > 0 && recv(peer, in, sizeof in, 0) > 0;) {
    }
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {0};
    martlet_settings settings;
    martlet_config config;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    signal(SIGCHLD, SIG_IGN); /* Nobody waits for the children. */
    martlet_settings_default(&settings);
    settings.max_head_bytes = 4096;
    if (martlet_config_init(&config, sizeof config, &settings, NULL) != MARTLET_CODE_OK)
        return 2;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 9000));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0) {
        perror("echo");
        return 2;
    }
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0)
            continue;
        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (fork() == 0) {
            close(listener);
            serve(peer, &config);
            return 0;
        }
        close(peer);
    }
}
