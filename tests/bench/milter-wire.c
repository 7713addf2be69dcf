/* milter-wire - see milter-wire.h */
#include "tests/bench/milter-wire.h"

#include <libmilter/mfdef.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_SECONDS 60

static const char *const default_macros[STAGES] = {
    "j {daemon_name} {daemon_addr} v _",
    "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
    "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
    "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    "i",
    "i",
    "i",
};

void die(const char *format, ...)
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

/*
 * As Postfix does it.  A thread that waits in read(2) of a socket of the file system is also woken when the milter has
 * read what was sent, at the milter's cost.
 */
static void wait_for_answer(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    int ready;

    do
        ready = poll(&one, 1, ANSWER_SECONDS * 1000);
    while (ready == -1 && errno == EINTR);
    if (ready != 1)
        die("no answer within %d seconds", ANSWER_SECONDS);
}

/* Reads one answer; its payload is in session->in, with a NUL behind it. */
static char session_read(struct session *session)
{
    uint32_t wire;
    uint32_t length;
    char command;

    wait_for_answer(session->fd);
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
        free(session->macros[stage]);
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

void send_sender(struct session *session, const char *login, const char *sender)
{
    size_t start;

    if (session->steps & SMFIP_NOMAIL)
        return;
    add_macros(session, STAGE_MAIL, SMFIC_MAIL, "{auth_type}", "PLAIN", "{auth_authen}", login, "{mail_addr}", sender,
               "{mail_host}", "corp.example", "{mail_mailer}", "smtp", (char *)NULL);
    start = packet_begin(&session->out, SMFIC_MAIL);
    buffer_add(&session->out, "<", 1);
    buffer_add(&session->out, sender, strlen(sender));
    buffer_add_string(&session->out, ">");
    buffer_add_string(&session->out, "SIZE=3000");
    packet_end(&session->out, start);
    session_step(session, SMFIP_NR_MAIL);
}

void send_recipient(struct session *session, const char *recipient)
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

void send_data(struct session *session, const char *queue_id)
{
    if (session->steps & SMFIP_NODATA)
        return;
    add_macros(session, STAGE_DATA, SMFIC_DATA, "i", queue_id, (char *)NULL);
    packet_end(&session->out, packet_begin(&session->out, SMFIC_DATA));
    session_step(session, SMFIP_NR_DATA);
}

void send_header(struct session *session, const char *queue_id, const char *name, const char *value)
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

void send_headers_end(struct session *session, const char *queue_id)
{
    if (session->steps & SMFIP_NOEOH)
        return;
    add_macros(session, STAGE_HEADERS_END, SMFIC_EOH, "i", queue_id, (char *)NULL);
    packet_end(&session->out, packet_begin(&session->out, SMFIC_EOH));
    session_step(session, SMFIP_NR_EOH);
}

void send_body(struct session *session, const char *queue_id, const char *body, size_t length)
{
    size_t start;

    if (session->steps & SMFIP_NOBODY || length == 0)
        return;
    add_macros(session, STAGE_END, SMFIC_BODY, "i", queue_id, (char *)NULL);
    start = packet_begin(&session->out, SMFIC_BODY);
    buffer_add(&session->out, body, length);
    packet_end(&session->out, start);
    session_step(session, SMFIP_NR_BODY);
}

/* Seconds by the monotonic clock. */
static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double send_end(struct session *session, const char *queue_id, char verdict)
{
    bool held = false;
    char answer;
    double began;

    add_macros(session, STAGE_END, SMFIC_BODYEOB, "i", queue_id, (char *)NULL);
    packet_end(&session->out, packet_begin(&session->out, SMFIC_BODYEOB));
    began = now();
    session_flush(session);
    for (;;) {
        answer = session_read(session);
        if (answer == SMFIR_QUARANTINE)
            held = true;
        else if (!strchr((const char[]){SMFIR_ADDHEADER, SMFIR_INSHEADER, SMFIR_CHGHEADER, SMFIR_PROGRESS, 0}, answer))
            break;
    }
    began = now() - began;
    if (answer == SMFIR_REPLYCODE && session->in.data[0] == '5')
        answer = SMFIR_REJECT;
    if (answer == SMFIR_CONTINUE || answer == SMFIR_ACCEPT)
        answer = held ? SMFIR_QUARANTINE : SMFIR_ACCEPT;
    if (answer != verdict)
        die("message %s: answer '%c' (%s), expected '%c'", queue_id, answer, session->in.data, verdict);
    return began;
}

/* ---- sessions */

static int session_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path))
        die("%s: too long for a socket's path", path);
    strcpy(address.sun_path, path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("%s: %s", path, strerror(errno));
    return fd;
}

void session_open(struct session *session, const char *path)
{
    session->fd = session_connect(path);
    session->out.length = 0;
    negotiate(session);
    send_connect(session);
    send_helo(session);
}

void session_close(struct session *session)
{
    packet_end(&session->out, packet_begin(&session->out, SMFIC_QUIT));
    session_flush(session);
    close(session->fd);
    for (unsigned stage = 0; stage < STAGES; stage++)
        free(session->macros[stage]);
    free(session->out.data);
    free(session->in.data);
    memset(session, 0, sizeof(*session));
}

void session_print_protocol(const struct session *session)
{
    printf(" actions=%#x steps=%#x macros=", session->actions, session->steps);
    for (unsigned stage = 0; stage < STAGES; stage++)
        if (session->macros[stage])
            printf("%u:\"%s\"", stage, session->macros[stage]);
}
