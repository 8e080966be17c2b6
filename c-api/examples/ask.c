/*
 * A client over POSIX sockets: `ask 9000 word...` sends each word as a text message to 127.0.0.1, prints what comes back for it, and
 * closes. Exit code 0: everything came, and the end was clean.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <martlet.h>
#include <netinet/in.h>
#include <poll.h>
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

/* Masking keys come from the system's generator: nobody on the way shall guess them. */
static int fill(void *context, uint8_t *room, size_t len) {
    return fread(room, 1, len, context) == len ? 0 : -1;
}

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

/* Sends the next word, or the Close when there is none. */
static martlet_code next(martlet_connection *connection, char ***words, martlet_output *output) {
    const char *word = **words;
    if (word == NULL)
        return martlet_close(connection, now_ms(), 1000, NULL, 0, output);
    ++*words;
    return martlet_send_text(connection, (const uint8_t *)word, strlen(word), output);
}

/* Drains the input. */
static martlet_code turn(martlet_connection *connection, martlet_input *input, martlet_output *output, char ***words) {
    martlet_event event;
    martlet_code code = MARTLET_CODE_OK;
    while (code == MARTLET_CODE_OK) {
        code = martlet_receive(connection, now_ms(), input, output, &event);
        if (code != MARTLET_CODE_OK)
            break;
        if (event.type == MARTLET_EVENT_TYPE_OPEN)
            code = next(connection, words, output);
        if (event.type == MARTLET_EVENT_TYPE_DATA) {
            fwrite(event.octets.ptr, 1, event.octets.len, stdout);
            if (event.last) {
                putchar('\n');
                code = next(connection, words, output);
            }
        }
    }
    if (code >= MARTLET_CODE_RANDOM_FAILED)
        fprintf(stderr, "%s (%u)\n", martlet_describe(code), (unsigned)event.code);
    return code;
}

static int converse(int peer, char **words, FILE *random) {
    static const char name[] = "ask";
    const martlet_octets subprotocols[] = {{(const uint8_t *)name, sizeof name - 1}};
    const martlet_client_request request = {{(const uint8_t *)"127.0.0.1", 9}, {(const uint8_t *)"/", 1}, {NULL, 0}, NULL, 0};
    martlet_settings settings;
    martlet_config config;
    martlet_connection connection;
    uint8_t in[8192], out[16384];
    size_t held = 0; /* What was read and not taken yet is the front of `in`. */
    martlet_output output = {out, sizeof out, 0, 0};
    martlet_settings_default(&settings);
    settings.subprotocols = subprotocols;
    settings.subprotocol_count = 1;
    if (martlet_config_init(&config, sizeof config, &settings, NULL) != MARTLET_CODE_OK ||
        martlet_client_init(&connection, sizeof connection, &config, now_ms(), &request, fill, random, &output) !=
            MARTLET_CODE_OK)
        return 2;
    flush(peer, &output);
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
            if (turn(&connection, &input, &output, &words) > MARTLET_CODE_MORE)
                break; /* A word that does not fit into `out`, or a fault. */
            memmove(in, input.ptr, input.len);
            held = input.len;
        }
        martlet_tick(&connection, now_ms(), &output);
        flush(peer, &output);
    }
    flush(peer, &output);
    return martlet_eof(&connection) ? 0 : 1;
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {0};
    int status = 2, peer = socket(AF_INET, SOCK_STREAM, 0);
    FILE *random = fopen("/dev/urandom", "rb");
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 9000));
    if (random == NULL || connect(peer, (struct sockaddr *)&address, sizeof address) != 0)
        perror("ask");
    else
        status = converse(peer, argc > 2 ? argv + 2 : argv + argc, random);
    if (random != NULL)
        fclose(random);
    close(peer);
    return status;
}
