/*
 * milter-load - speaks the milter protocol as Postfix does, as fast as it is answered.
 *
 * usage: milter-load [-c CONNECTIONS] [-n MESSAGES] [-r RECIPIENTS] [-e VERDICT] SOCKET
 *
 * Sends MESSAGES over CONNECTIONS sessions at once, each from a user who has
 * logged in: by default 3 recipients, 15 headers and 3 kB.  Every answer must be
 * the VERDICT expected (accept, quarantine or reject), else it fails.
 *
 * Prints one line: messages, seconds, and the protocol that the milter asked
 * for (actions, steps, macro lists), so that two milters can be compared.
 *
 * The protocol is the one of libmilter/mfdef.h, version 6.  As Postfix does, it
 * writes when it needs an answer and not before.
 */
#include <libmilter/mfdef.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_LIMIT 256
#define RECIPIENTS_LIMIT  1000
#define BODY_SIZE         2200 /* with the headers 3 kB */
#define ANSWER_SECONDS    60
#define STAGES            7 /* connect, HELO, MAIL, RCPT, DATA, end of message, end of headers: as in smfi_setsymlist */

enum stage { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_END, STAGE_HEADERS_END };

struct options {
    const char *socket;
    unsigned connections;
    unsigned messages; /* in all */
    unsigned recipients;
    char verdict; /* SMFIR_... that ends a message, or SMFIR_QUARANTINE */
};

struct buffer {
    char *data;
    size_t length;
    size_t size;
};

/* One connection to the milter, with what it asked for. */
struct session {
    const struct options *options;
    unsigned number;
    unsigned messages;
    int fd;
    struct buffer out;
    struct buffer in; /* the last answer's payload */
    uint32_t actions;
    uint32_t steps;
    char *macros[STAGES]; /* names asked for by smfi_setsymlist, or NULL: Postfix's own */
};

static const char *const default_macros[STAGES] = {
    "j {daemon_name} {daemon_addr} v _",
    "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
    "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
    "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    "i",
    "i",
    "i",
};

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
    va_list arguments;

    fputs("milter-load: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* ---- packets: a length in network order, a command, its payload */

static void buffer_add(struct buffer *buffer, const void *data, size_t length)
{
    if (buffer->length + length > buffer->size) {
        buffer->size = 2 * (buffer->length + length);
        buffer->data = realloc(buffer->data, buffer->size);
        if (!buffer->data)
            die("out of memory");
    }
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
}

/* Strings in the protocol end with a NUL. */
static void buffer_add_string(struct buffer *buffer, const char *string)
{
    buffer_add(buffer, string, strlen(string) + 1);
}

static void buffer_add_number(struct buffer *buffer, uint32_t number)
{
    uint32_t wire = htonl(number);

    buffer_add(buffer, &wire, sizeof(wire));
}

/* Begins a packet and returns where, for packet_end. */
static size_t packet_begin(struct buffer *buffer, char command)
{
    size_t start = buffer->length;

    buffer_add_number(buffer, 0);
    buffer_add(buffer, &command, 1);
    return start;
}

static void packet_end(struct buffer *buffer, size_t start)
{
    uint32_t wire = htonl((uint32_t)(buffer->length - start - sizeof(wire)));

    memcpy(buffer->data + start, &wire, sizeof(wire));
}

static void read_exactly(int fd, char *data, size_t length)
{
    while (length > 0) {
        ssize_t got = read(fd, data, length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            die("the milter closed the connection");
        if (got < 0)
            die("no answer: %s", strerror(errno));
        data += got;
        length -= (size_t)got;
    }
}

/* Reads one answer; its payload is in session->in, with a NUL behind it. */
static char session_read(struct session *session)
{
    uint32_t wire;
    uint32_t length;
    char command;

    read_exactly(session->fd, (char *)&wire, sizeof(wire));
    length = ntohl(wire);
    if (length == 0 || length > 1024 * 1024)
        die("an answer of %u bytes", length);
    read_exactly(session->fd, &command, 1);
    session->in.length = 0;
    if (session->in.size < length) {
        session->in.data = realloc(session->in.data, length);
        session->in.size = length;
        if (!session->in.data)
            die("out of memory");
    }
    read_exactly(session->fd, session->in.data, length - 1);
    session->in.length = length - 1;
    session->in.data[length - 1] = '\0';
    return command;
}

static void session_flush(struct session *session)
{
    const char *data = session->out.data;
    size_t left = session->out.length;

    while (left > 0) {
        ssize_t sent = send(session->fd, data, left, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            die("cannot send: %s", strerror(errno));
        data += sent;
        left -= (size_t)sent;
    }
    session->out.length = 0;
}

/* After a step: waits for its answer, unless the milter said that there is none. */
static void session_step(struct session *session, uint32_t no_reply)
{
    char answer;

    if (session->steps & no_reply)
        return;
    session_flush(session);
    answer = session_read(session);
    if (answer != SMFIR_CONTINUE)
        die("answer '%c' before the end of the message: %s", answer, session->in.data);
}

/* ---- macros */

static bool macro_wanted(const struct session *session, enum stage stage, const char *name)
{
    const char *list = session->macros[stage] ? session->macros[stage] : default_macros[stage];
    size_t length = strlen(name);
    const char *at = list;

    while ((at = strstr(at, name)) != NULL) {
        if ((at == list || at[-1] == ' ') && (at[length] == '\0' || at[length] == ' '))
            return true;
        at += length;
    }
    return false;
}

/* The macro packet that goes before each step: names and values in turn, ended by NULL; a NULL value is left out. */
static void add_macros(struct session *session, enum stage stage, int command, ...)
{
    size_t start = packet_begin(&session->out, SMFIC_MACRO);
    const char step = (char)command;
    va_list arguments;
    const char *name;

    buffer_add(&session->out, &step, 1);
    va_start(arguments, command);
    while ((name = va_arg(arguments, const char *)) != NULL) {
        const char *value = va_arg(arguments, const char *);

        if (!value || !macro_wanted(session, stage, name))
            continue;
        buffer_add_string(&session->out, name);
        buffer_add_string(&session->out, value);
    }
    va_end(arguments);
    packet_end(&session->out, start);
}

/* ---- steps */

/* Macro lists behind the three numbers of the answer: a stage, then its names. */
static void read_macro_lists(struct session *session)
{
    size_t at = 3 * sizeof(uint32_t);

    while (at + sizeof(uint32_t) < session->in.length) {
        uint32_t wire;
        uint32_t stage;

        memcpy(&wire, session->in.data + at, sizeof(wire));
        at += sizeof(wire);
        stage = ntohl(wire);
        if (stage >= STAGES)
            die("macros asked for at an unknown stage %u", stage);
        session->macros[stage] = strdup(session->in.data + at);
        at += strlen(session->in.data + at) + 1;
    }
}

static void negotiate(struct session *session)
{
    size_t start = packet_begin(&session->out, SMFIC_OPTNEG);
    uint32_t wire[3];

    buffer_add_number(&session->out, SMFI_PROT_VERSION);
    buffer_add_number(&session->out, SMFI_CURR_ACTS);
    buffer_add_number(&session->out, SMFI_CURR_PROT);
    packet_end(&session->out, start);
    session_flush(session);
    if (session_read(session) != SMFIC_OPTNEG || session->in.length < sizeof(wire))
        die("the milter does not negotiate");
    memcpy(wire, session->in.data, sizeof(wire));
    session->actions = ntohl(wire[1]);
    session->steps = ntohl(wire[2]);
    read_macro_lists(session);
}

static void send_connect(struct session *session)
{
    const char family = SMFIA_INET;
    const uint16_t port = htons(45678);
    size_t start;

    if (session->steps & SMFIP_NOCONNECT)
        return;
    add_macros(session, STAGE_CONNECT, SMFIC_CONNECT, "j", "mx.corp.example", "{daemon_name}", "mx.corp.example",
               "{daemon_addr}", "192.0.2.25", "v", "Postfix 3.7.11", "_", "desk.corp.example [192.0.2.99]",
               (char *)NULL);
    start = packet_begin(&session->out, SMFIC_CONNECT);
    buffer_add_string(&session->out, "desk.corp.example");
    buffer_add(&session->out, &family, 1);
    buffer_add(&session->out, &port, sizeof(port));
    buffer_add_string(&session->out, "192.0.2.99");
    packet_end(&session->out, start);
    session_step(session, SMFIP_NR_CONN);
}

static void send_helo(struct session *session)
{
    size_t start;

    if (session->steps & SMFIP_NOHELO)
        return;
    add_macros(session, STAGE_HELO, SMFIC_HELO, (char *)NULL);
    start = packet_begin(&session->out, SMFIC_HELO);
    buffer_add_string(&session->out, "desk.corp.example");
    packet_end(&session->out, start);
    session_step(session, SMFIP_NR_HELO);
}

static void send_sender(struct session *session, const char *sender)
{
    size_t start;

    if (session->steps & SMFIP_NOMAIL)
        return;
    add_macros(session, STAGE_MAIL, SMFIC_MAIL, "{auth_type}", "PLAIN", "{auth_authen}", "care", "{mail_addr}", sender,
               "{mail_host}", "corp.example", "{mail_mailer}", "smtp", (char *)NULL);
    start = packet_begin(&session->out, SMFIC_MAIL);
    buffer_add(&session->out, "<", 1);
    buffer_add(&session->out, sender, strlen(sender));
    buffer_add_string(&session->out, ">");
    buffer_add_string(&session->out, "SIZE=3000");
    packet_end(&session->out, start);
    session_step(session, SMFIP_NR_MAIL);
}

static void send_recipient(struct session *session, const char *recipient)
{
    size_t start;

    if (session->steps & SMFIP_NORCPT)
        return;
    add_macros(session, STAGE_RCPT, SMFIC_RCPT, "{rcpt_addr}", recipient, "{rcpt_host}", strchr(recipient, '@') + 1,
               "{rcpt_mailer}", "smtp", (char *)NULL);
    start = packet_begin(&session->out, SMFIC_RCPT);
    buffer_add(&session->out, "<", 1);
    buffer_add(&session->out, recipient, strlen(recipient));
    buffer_add_string(&session->out, ">");
    packet_end(&session->out, start);
    session_step(session, SMFIP_NR_RCPT);
}

static void send_data(struct session *session, const char *queue_id)
{
    if (session->steps & SMFIP_NODATA)
        return;
    add_macros(session, STAGE_DATA, SMFIC_DATA, "i", queue_id, (char *)NULL);
    packet_end(&session->out, packet_begin(&session->out, SMFIC_DATA));
    session_step(session, SMFIP_NR_DATA);
}

static void send_header(struct session *session, const char *queue_id, const char *name, const char *value)
{
    size_t start;

    if (session->steps & SMFIP_NOHDRS)
        return;
    add_macros(session, STAGE_HEADERS_END, SMFIC_HEADER, "i", queue_id, (char *)NULL);
    start = packet_begin(&session->out, SMFIC_HEADER);
    buffer_add_string(&session->out, name);
    buffer_add_string(&session->out, value);
    packet_end(&session->out, start);
    session_step(session, SMFIP_NR_HDR);
}

static void send_headers_end(struct session *session, const char *queue_id)
{
    if (session->steps & SMFIP_NOEOH)
        return;
    add_macros(session, STAGE_HEADERS_END, SMFIC_EOH, "i", queue_id, (char *)NULL);
    packet_end(&session->out, packet_begin(&session->out, SMFIC_EOH));
    session_step(session, SMFIP_NR_EOH);
}

static void send_body(struct session *session, const char *queue_id)
{
    static char body[BODY_SIZE];
    size_t start;

    if (session->steps & SMFIP_NOBODY)
        return;
    add_macros(session, STAGE_END, SMFIC_BODY, "i", queue_id, (char *)NULL);
    start = packet_begin(&session->out, SMFIC_BODY);
    buffer_add(&session->out, body, sizeof(body));
    packet_end(&session->out, start);
    session_step(session, SMFIP_NR_BODY);
}

/* The end of the message; fails unless the answer is the verdict expected. */
static void send_end(struct session *session, const char *queue_id)
{
    bool held = false;
    char answer;

    add_macros(session, STAGE_END, SMFIC_BODYEOB, "i", queue_id, (char *)NULL);
    packet_end(&session->out, packet_begin(&session->out, SMFIC_BODYEOB));
    session_flush(session);
    for (;;) {
        answer = session_read(session);
        if (answer == SMFIR_QUARANTINE)
            held = true;
        else if (!strchr((const char[]){SMFIR_ADDHEADER, SMFIR_INSHEADER, SMFIR_CHGHEADER, SMFIR_PROGRESS, 0}, answer))
            break;
    }
    if (answer == SMFIR_REPLYCODE && session->in.data[0] == '5')
        answer = SMFIR_REJECT;
    if (answer == SMFIR_CONTINUE || answer == SMFIR_ACCEPT)
        answer = held ? SMFIR_QUARANTINE : SMFIR_ACCEPT;
    if (answer != session->options->verdict)
        die("message %s: answer '%c' (%s), expected '%c'", queue_id, answer, session->in.data,
            session->options->verdict);
}

/* ---- messages */

/* The first recipient is a colleague, the others are outside, at a few hundred domains. */
static void make_recipient(char *address, size_t size, unsigned message, unsigned number)
{
    if (number == 0)
        snprintf(address, size, "colleague%u@corp.example", message % 997);
    else
        snprintf(address, size, "person%u.%u@mail.customer%u.example", message % 1009, number,
                 (message * 7 + number) % 499);
}

/* To holds the first, Cc the others, a few to a line. */
static void make_list(char *list, size_t size, unsigned message, unsigned from, unsigned to)
{
    size_t length = 0;

    list[0] = '\0';
    for (unsigned i = from; i < to && length < size; i++) {
        char address[128];

        make_recipient(address, sizeof(address), message, i);
        length += (size_t)snprintf(list + length, size - length, "%s\"Person %u, Example\" <%s>",
                                   i == from ? "" : ",\n\t", i, address);
    }
    if (length >= size)
        die("too many recipients for one header");
}

static void send_headers(struct session *session, const char *queue_id, unsigned number)
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
        {"Content-Type", "text/plain; charset=UTF-8; format=flowed"},
        {"Content-Transfer-Encoding", "8bit"},
    };
    char list[128 * RECIPIENTS_LIMIT];
    char id[128];

    for (size_t i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++)
        send_header(session, queue_id, ordinary[i][0], ordinary[i][1]);
    snprintf(id, sizeof(id), "<%s.%u@corp.example>", queue_id, number);
    send_header(session, queue_id, "Message-ID", id);
    send_header(session, queue_id, "From", "Customer Care <care@corp.example>");
    make_list(list, sizeof(list), number, 0, 1);
    send_header(session, queue_id, "To", list);
    make_list(list, sizeof(list), number, 1, session->options->recipients);
    send_header(session, queue_id, "Cc", list);
}

static void send_message(struct session *session, unsigned number)
{
    char queue_id[32];

    snprintf(queue_id, sizeof(queue_id), "4X%04u%06u", session->number, number);
    send_sender(session, "care@corp.example");
    for (unsigned i = 0; i < session->options->recipients; i++) {
        char address[128];

        make_recipient(address, sizeof(address), number, i);
        send_recipient(session, address);
    }
    send_data(session, queue_id);
    send_headers(session, queue_id, number);
    send_headers_end(session, queue_id);
    send_body(session, queue_id);
    send_end(session, queue_id);
}

/* ---- sessions */

static int session_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = ANSWER_SECONDS};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path))
        die("%s: too long for a socket's path", path);
    strcpy(address.sun_path, path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("%s: %s", path, strerror(errno));
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0)
        die("%s: %s", path, strerror(errno));
    return fd;
}

static void *session_run(void *data)
{
    struct session *session = data;

    session->fd = session_connect(session->options->socket);
    negotiate(session);
    send_connect(session);
    send_helo(session);
    for (unsigned i = 0; i < session->messages; i++)
        send_message(session, i);
    packet_end(&session->out, packet_begin(&session->out, SMFIC_QUIT));
    session_flush(session);
    close(session->fd);
    free(session->out.data);
    free(session->in.data);
    return NULL;
}

static void print_protocol(const struct session *session)
{
    printf(" actions=%#x steps=%#x macros=", session->actions, session->steps);
    for (unsigned stage = 0; stage < STAGES; stage++)
        if (session->macros[stage])
            printf("%u:\"%s\"", stage, session->macros[stage]);
    putchar('\n');
}

static void run(const struct options *options)
{
    static struct session sessions[CONNECTIONS_LIMIT];
    static pthread_t threads[CONNECTIONS_LIMIT];
    struct timespec start;
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned i = 0; i < options->connections; i++) {
        sessions[i].options = options;
        sessions[i].number = i;
        sessions[i].messages =
            options->messages / options->connections + (i < options->messages % options->connections);
        if (pthread_create(&threads[i], NULL, session_run, &sessions[i]) != 0)
            die("cannot start a thread");
    }
    for (unsigned i = 0; i < options->connections; i++)
        pthread_join(threads[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("messages=%u seconds=%.6f", options->messages,
           (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    print_protocol(&sessions[0]);
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

int main(int argc, char **argv)
{
    struct options options = {.connections = 4, .messages = 10000, .recipients = 3, .verdict = SMFIR_ACCEPT};
    int option;

    while ((option = getopt(argc, argv, "c:n:r:e:")) != -1) {
        switch (option) {
        case 'c':
            options.connections = read_number(optarg, 1, CONNECTIONS_LIMIT);
            break;
        case 'n':
            options.messages = read_number(optarg, 1, 100000000);
            break;
        case 'r':
            options.recipients = read_number(optarg, 2, RECIPIENTS_LIMIT);
            break;
        case 'e':
            options.verdict = read_verdict(optarg);
            break;
        default:
            optind = argc;
            break;
        }
    }
    if (argc - optind != 1) {
        fprintf(stderr, "usage: milter-load [-c CONNECTIONS] [-n MESSAGES] [-r RECIPIENTS] [-e VERDICT] SOCKET\n");
        return 2;
    }
    options.socket = argv[optind];
    run(&options);
    return 0;
}
