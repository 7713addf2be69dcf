/*
 * milter-load - speaks the milter protocol as Postfix does, as fast as it is answered.
 *
 * usage: milter-load [OPTION...] SOCKET
 *
 *     -n MESSAGES     in all (10000)
 *     -c CONNECTIONS  at once (4)
 *     -m MESSAGES     on one connection, then a new one (0: all of them)
 *     -r RECIPIENTS   in the header fields To and Cc (3)
 *     -t RECIPIENTS   of the envelope (as -r, but 3 at the most)
 *     -p              the lists are addresses alone; without it each has a display name in quotes
 *     -b BYTES        of the body, which is words (2200)
 *     -x              it is a file in base64
 *     -e VERDICT      that every message must get: accept, quarantine or reject (accept)
 *     -a LOGINS       of the messages, one after the other (1)
 *     -d DOMAINS      at which the recipients outside are (499)
 *     -f NUMBER       of the first message, from which its recipients follow: so that those of several runs differ (0)
 *     -s MESSAGES     a second on each connection, none of them sooner (0: as fast as they are answered)
 *     -q PREFIX       with which the queue ids begin (4X): so that those of several runs differ
 *     -i CONNECTIONS  sends nothing: opens that many, says so, and closes them when standard input ends
 *
 * Each message is from a user who has logged in, and has 15 header fields.
 * Prints one line: messages, seconds, how long the answer at the end of a message
 * took (median, 99 and 99.9 of 100 messages, in microseconds), and the protocol that
 * the milter asked for, so that two milters can be compared.
 */
#include "tests/bench/milter-wire.h"

#include <libmilter/mfdef.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_LIMIT 256
#define IDLE_LIMIT        10000
#define RECIPIENTS_LIMIT  10000
#define ADDRESS_SIZE      128
#define FIELD_LIMIT       60000
#define BODY_LIMIT        65535 /* of one packet, as Postfix cuts it */
#define WORDS_SIZE        (2 * BODY_LIMIT)
#define WORDS_PERIOD      65520 /* they begin anew after these: a multiple of a line of base64, which has 78 */
#define BODIES_LIMIT      100000000

struct options {
    const char *socket;
    const char *prefix;
    unsigned connections;
    unsigned idle;
    unsigned messages;       /* in all */
    unsigned per_connection; /* 0: all */
    unsigned recipients;
    unsigned envelope;
    unsigned body;
    unsigned logins;
    unsigned domains;
    unsigned first;
    unsigned speed; /* messages a second and connection; 0: any */
    bool plain;
    bool file;
    char verdict; /* SMFIR_... that ends a message, or SMFIR_QUARANTINE */
};

/* The messages of one thread. */
struct load {
    const struct options *options;
    unsigned number;
    unsigned messages;
    struct session session;
    unsigned message;  /* the number of the one that is sent */
    double *latencies; /* one a message */
    struct timespec began;
};

static char words[WORDS_SIZE];

/* ---- messages */

static void make_words(void)
{
    static const char *const some[] = {"the",   "offer",  "of",     "last",    "week",  "and",    "a",      "question",
                                       "about", "second", "page",   "please",  "find",  "our",    "new",    "prices",
                                       "with",  "best",   "wishes", "meeting", "order", "budget", "report", "answer"};
    unsigned random = 1;
    size_t column = 0;

    for (size_t at = 0; at < sizeof(words);) {
        const char *word;
        size_t length;

        random = random * 1103515245u + 12345u;
        word = some[(random >> 16) % (sizeof(some) / sizeof(some[0]))];
        length = strlen(word);
        if (length + 2 > sizeof(words) - at) {
            memset(words + at, ' ', sizeof(words) - at);
            return;
        }
        memcpy(words + at, word, length);
        at += length;
        column += length + 1;
        words[at++] = column > 70 ? '\r' : ' ';
        if (column > 70)
            words[at++] = '\n', column = 0;
    }
}

/* Lines of base64 (RFC 2045 section 6.8) in place of the words: 57 bytes a line. */
static void make_file(void)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char text[WORDS_PERIOD];
    const unsigned char *from = (const unsigned char *)text;
    size_t at = 0;

    memcpy(text, words, sizeof(text));
    while (at < WORDS_PERIOD) {
        for (unsigned group = 0; group < 19; group++, from += 3) {
            words[at++] = letters[from[0] >> 2];
            words[at++] = letters[(from[0] << 4 | from[1] >> 4) & 63];
            words[at++] = letters[(from[1] << 2 | from[2] >> 6) & 63];
            words[at++] = letters[from[2] & 63];
        }
        words[at++] = '\r';
        words[at++] = '\n';
    }
    for (; at < WORDS_SIZE; at++)
        words[at] = words[at - WORDS_PERIOD];
}

/* The first recipient is a colleague, the others are outside, at a number of domains. */
static void make_recipient(const struct options *options, char *address, size_t size, unsigned message, unsigned number)
{
    if (number == 0)
        snprintf(address, size, "colleague%u@corp.example", message % 997);
    else
        snprintf(address, size, "person%u.%u@mail.customer%u.example", message % 1009, number,
                 (message * 7 + number) % options->domains);
}

/* Sends a list of recipients, a few to a line, in as many fields as it takes: rspamd reads no packet above 64 kB. */
static void send_list(struct load *load, const char *queue_id, const char *name, unsigned from, unsigned to)
{
    static const char separator[] = ",\n\t";

    for (unsigned i = from; i < to;) {
        char list[FIELD_LIMIT + 3 * ADDRESS_SIZE];
        size_t length = 0;

        while (i < to && length < FIELD_LIMIT) {
            char address[ADDRESS_SIZE];

            make_recipient(load->options, address, sizeof(address), load->message, i);
            length += (size_t)sprintf(list + length, "%s", length == 0 ? "" : separator);
            if (load->options->plain)
                length += (size_t)sprintf(list + length, "%s", address);
            else
                length += (size_t)sprintf(list + length, "\"Person %u, Example\" <%s>", i, address);
            i++;
        }
        send_header(&load->session, queue_id, name, list);
    }
}

static void send_headers(struct load *load, const char *queue_id)
{
    static const char *const ordinary[][2] = {
        {"Received", "from desk.corp.example (desk.corp.example [192.0.2.99])\n\t(using TLSv1.3 with cipher "
                     "TLS_AES_256_GCM_SHA384 (256/256 bits))\n\tby mx.corp.example (Postfix) with ESMTPSA id 4XyZ1234"},
        {"Date", "Mon, 06 Jul 2026 10:11:12 +0200"},
        {"MIME-Version", "1.0"},
        {"User-Agent", "Mozilla Thunderbird"},
        {"Subject", "Re: the offer of last week, and a question about the second page"},
        {"Content-Language", "en-GB"},
        {"References", "<1b0c2f3a-77aa-4c19-9f5e-2f1f0e1d2c3b@customer1.example>"},
        {"In-Reply-To", "<1b0c2f3a-77aa-4c19-9f5e-2f1f0e1d2c3b@customer1.example>"},
        {"Organization", "Example Corporation"},
    };
    static const char *const kinds[][2] = {{"text/plain; charset=UTF-8; format=flowed", "8bit"},
                                           {"text/csv; charset=UTF-8; name=\"list.csv\"", "base64"}};
    struct session *session = &load->session;
    char id[ADDRESS_SIZE];

    for (size_t i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++)
        send_header(session, queue_id, ordinary[i][0], ordinary[i][1]);
    send_header(session, queue_id, "Content-Type", kinds[load->options->file][0]);
    send_header(session, queue_id, "Content-Transfer-Encoding", kinds[load->options->file][1]);
    snprintf(id, sizeof(id), "<%s.%u@corp.example>", queue_id, load->message);
    send_header(session, queue_id, "Message-ID", id);
    send_header(session, queue_id, "From", "Customer Care <care@corp.example>");
    send_list(load, queue_id, "To", 0, 1);
    send_list(load, queue_id, "Cc", 1, load->options->recipients);
}

/* In parts, as an MTA sends it; messages begin at different words. */
static void send_words(struct load *load, const char *queue_id)
{
    size_t from = load->options->file ? 0 : load->message * 37u, length = load->options->body;

    for (size_t sent = 0; sent < length; sent += BODY_LIMIT)
        send_body(&load->session, queue_id, words + (from + sent) % WORDS_PERIOD,
                  length - sent < BODY_LIMIT ? length - sent : BODY_LIMIT);
}

/* Gives the seconds from its end to its answer. */
static double send_message(struct load *load)
{
    const struct options *options = load->options;
    struct session *session = &load->session;
    char queue_id[64], login[32];

    snprintf(queue_id, sizeof(queue_id), "%s%04u%06u", options->prefix, load->number, load->message);
    snprintf(login, sizeof(login), options->logins > 1 ? "care%u" : "care", load->message % options->logins);
    send_sender(session, login, "care@corp.example");
    for (unsigned i = 0; i < options->envelope; i++) {
        char address[ADDRESS_SIZE];

        make_recipient(load->options, address, sizeof(address), load->message, i);
        send_recipient(session, address);
    }
    send_data(session, queue_id);
    send_headers(load, queue_id);
    send_headers_end(session, queue_id);
    send_words(load, queue_id);
    return send_end(session, queue_id, options->verdict);
}

/* ---- sessions */

/* Until it is time for a message of this thread; they are spread over the second. */
static void await_turn(const struct load *load, unsigned number)
{
    const struct options *options = load->options;
    if (options->speed == 0)
        return;
    double after = (number + (double)load->number / options->connections) / options->speed;
    struct timespec turn = load->began;

    turn.tv_sec += (time_t)after;
    turn.tv_nsec += (long)((after - (double)(time_t)after) * 1e9);
    if (turn.tv_nsec >= 1000000000)
        turn.tv_sec++, turn.tv_nsec -= 1000000000;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &turn, NULL);
}

static void *load_run(void *data)
{
    struct load *load = data;
    unsigned each = load->options->per_connection;

    for (unsigned i = 0; i < load->messages; i++) {
        if (i == 0 || (each > 0 && i % each == 0))
            session_open(&load->session, load->options->socket);
        load->message = load->options->first + i;
        await_turn(load, i);
        load->latencies[i] = send_message(load);
        if (i + 1 < load->messages && each > 0 && (i + 1) % each == 0)
            session_close(&load->session);
    }
    return NULL;
}

static int by_size(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;

    return (a > b) - (a < b);
}

static void print_latencies(double *latencies, unsigned count)
{
    qsort(latencies, count, sizeof(*latencies), by_size);
    printf(" p50=%.1f p99=%.1f p99.9=%.1f", latencies[count / 2] * 1e6, latencies[count - 1 - count / 100] * 1e6,
           latencies[count - 1 - count / 1000] * 1e6);
}

static void run(const struct options *options)
{
    static struct load loads[CONNECTIONS_LIMIT];
    static pthread_t threads[CONNECTIONS_LIMIT];
    double *latencies = calloc(options->messages, sizeof(*latencies));
    double *at = latencies;
    struct timespec start;
    struct timespec end;

    if (!latencies)
        die("out of memory");
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned i = 0; i < options->connections; i++) {
        loads[i].options = options;
        loads[i].number = i;
        loads[i].messages = options->messages / options->connections + (i < options->messages % options->connections);
        loads[i].latencies = at;
        loads[i].began = start;
        at += loads[i].messages;
        if (pthread_create(&threads[i], NULL, load_run, &loads[i]) != 0)
            die("cannot start a thread");
    }
    for (unsigned i = 0; i < options->connections; i++)
        pthread_join(threads[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("messages=%u seconds=%.6f", options->messages,
           (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    print_latencies(latencies, options->messages);
    session_print_protocol(&loads[0].session);
    putchar('\n');
    for (unsigned i = 0; i < options->connections; i++)
        if (loads[i].messages > 0)
            session_close(&loads[i].session);
    free(latencies);
}

static void stay_idle(const struct options *options)
{
    struct session *sessions = calloc(options->idle, sizeof(*sessions));
    char rest;

    if (!sessions)
        die("out of memory");
    for (unsigned i = 0; i < options->idle; i++)
        session_open(&sessions[i], options->socket);
    printf("idle=%u\n", options->idle);
    fflush(stdout);
    while (read(STDIN_FILENO, &rest, 1) > 0)
        continue;
    for (unsigned i = 0; i < options->idle; i++)
        session_close(&sessions[i]);
    free(sessions);
}

/* ---- command line */

static unsigned read_number(const char *text, unsigned least, unsigned most)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*end != '\0' || number < least || number > most)
        die("%s: a number from %u to %u is needed", text, least, most);
    return (unsigned)number;
}

static char read_verdict(const char *text)
{
    if (strcmp(text, "accept") == 0)
        return SMFIR_ACCEPT;
    if (strcmp(text, "quarantine") == 0)
        return SMFIR_QUARANTINE;
    if (strcmp(text, "reject") == 0)
        return SMFIR_REJECT;
    die("%s: accept, quarantine or reject is needed", text);
}

static void read_option(struct options *options, int option)
{
    switch (option) {
    case 'b':
        options->body = read_number(optarg, 0, BODIES_LIMIT);
        break;
    case 'c':
        options->connections = read_number(optarg, 1, CONNECTIONS_LIMIT);
        break;
    case 'a':
        options->logins = read_number(optarg, 1, 100000000);
        break;
    case 'd':
        options->domains = read_number(optarg, 1, 100000000);
        break;
    case 'f':
        options->first = read_number(optarg, 0, 100000000);
        break;
    case 's':
        options->speed = read_number(optarg, 1, 100000);
        break;
    case 'e':
        options->verdict = read_verdict(optarg);
        break;
    case 'i':
        options->idle = read_number(optarg, 1, IDLE_LIMIT);
        break;
    case 'm':
        options->per_connection = read_number(optarg, 0, 100000000);
        break;
    case 'n':
        options->messages = read_number(optarg, 1, 100000000);
        break;
    case 'p':
        options->plain = true;
        break;
    case 'q':
        options->prefix = optarg;
        break;
    case 'x':
        options->file = true;
        break;
    case 'r':
        options->recipients = read_number(optarg, 2, RECIPIENTS_LIMIT);
        break;
    case 't':
        options->envelope = read_number(optarg, 1, RECIPIENTS_LIMIT);
        break;
    default:
        optind = -1;
        break;
    }
}

int main(int argc, char **argv)
{
    struct options options = {.prefix = "4X",
                              .connections = 4,
                              .messages = 10000,
                              .recipients = 3,
                              .body = 2200,
                              .logins = 1,
                              .domains = 499,
                              .verdict = SMFIR_ACCEPT};
    int option;

    while (optind != -1 && (option = getopt(argc, argv, "a:b:c:d:e:f:i:m:n:pq:r:s:t:x")) != -1)
        read_option(&options, option);
    if (optind == -1 || argc - optind != 1 || strlen(options.prefix) > 20) {
        fprintf(stderr,
                "usage: milter-load [-n MESSAGES] [-c CONNECTIONS] [-m MESSAGES] [-r RECIPIENTS] [-t RECIPIENTS] "
                "[-p] [-b BYTES] [-x] [-e VERDICT] [-a LOGINS] [-d DOMAINS] [-f NUMBER] [-s MESSAGES] [-q PREFIX] [-i "
                "CONNECTIONS] "
                "SOCKET\n");
        return 2;
    }
    options.socket = argv[optind];
    if (options.envelope == 0)
        options.envelope = options.recipients < 3 ? options.recipients : 3;
    make_words();
    if (options.file)
        make_file();
    if (options.idle > 0)
        stay_idle(&options);
    else
        run(&options);
    return 0;
}
