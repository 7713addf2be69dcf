/*
 * held-load - sends messages that are to be held, over many milter connections at once.
 *
 * usage: held-load [-c CONNECTIONS] [-n MESSAGES] [-b BURSTS] [-i MILLISECONDS] [-p PARTIES] [-q PREFIX] SOCKET
 *
 * Without -b, each connection sends one message after the other, MESSAGES in all.  With
 * -b, every connection sends one message at the same moment, and is idle for -i
 * milliseconds before the next burst.  Each message shows PARTIES organisations.
 *
 * Prints one line: how many were held, deferred, or answered otherwise; the seconds;
 * and of the time from the end of a message to its answer the median, the 99th percentile and the
 * longest, in milliseconds.  A message counts as held if the milter asked for a quarantine and accepted it.
 */
#include <libmilter/mfdef.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_LIMIT 512
#define BUFFER_SIZE       65536

static struct {
    const char *socket, *prefix;
    unsigned connections, messages, bursts, idle, parties;
} options = {.prefix = "B", .connections = 100, .messages = 10000, .idle = 200, .parties = 12};

struct session {
    unsigned number;
    int fd;
    uint32_t steps; /* that the milter asked for */
    char out[BUFFER_SIZE];
    size_t length;
    unsigned held, deferred, others;
    double *waited; /* milliseconds, of each message */
    unsigned messages;
};

static pthread_barrier_t barrier;

static void die(const char *text)
{
    fprintf(stderr, "held-load: %s\n", text);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* ---- packets: a length in network order, a command, its payload */

static void packet(struct session *session, char command, const char *payload, size_t length)
{
    uint32_t wire = htonl((uint32_t)length + 1);
    if (session->length + length + 5 > BUFFER_SIZE)
        die("the message is too long");
    char *at = session->out + session->length;
    memcpy(at, &wire, 4);
    at[4] = command;
    memcpy(at + 5, payload, length);
    session->length += length + 5;
}

/* Two strings, of which the second may be NULL, each with the NUL that ends it in the protocol. */
static void packet_text(struct session *session, char command, const char *first, const char *second)
{
    char payload[BUFFER_SIZE];
    size_t length = strlen(first) + 1;
    memcpy(payload, first, length);
    if (second != NULL) {
        memcpy(payload + length, second, strlen(second) + 1);
        length += strlen(second) + 1;
    }
    packet(session, command, payload, length);
}

static void flush(struct session *session)
{
    for (size_t sent = 0; sent < session->length;) {
        ssize_t part = send(session->fd, session->out + sent, session->length - sent, MSG_NOSIGNAL);
        if (part <= 0)
            die("cannot send");
        sent += (size_t)part;
    }
    session->length = 0;
}

static char read_answer(struct session *session, char *payload, size_t size)
{
    uint32_t wire;
    char command;
    if (recv(session->fd, &wire, 4, MSG_WAITALL) != 4 || recv(session->fd, &command, 1, MSG_WAITALL) != 1)
        die("the milter closed the connection");
    size_t length = ntohl(wire) - 1;
    if (length >= size || (length > 0 && recv(session->fd, payload, length, MSG_WAITALL) != (ssize_t)length))
        die("an answer that is too long");
    payload[length] = '\0';
    return command;
}

/* After a step: waits for its answer, unless the milter said that there is none. */
static void step_done(struct session *session, uint32_t no_reply)
{
    char answer[4096];
    if ((session->steps & no_reply) != 0)
        return;
    flush(session);
    if (read_answer(session, answer, sizeof answer) != SMFIR_CONTINUE)
        die("a step before the end of the message is not answered by `continue`");
}

static void header(struct session *session, const char *name, const char *value)
{
    packet_text(session, SMFIC_HEADER, name, value);
    step_done(session, SMFIP_NR_HDR);
}

/* ---- the session */

static void negotiate(struct session *session)
{
    const uint32_t offer[3] = {htonl(SMFI_PROT_VERSION), htonl(SMFI_CURR_ACTS), htonl(SMFI_CURR_PROT)};
    char answer[4096];
    packet(session, SMFIC_OPTNEG, (const char *)offer, sizeof offer);
    flush(session);
    if (read_answer(session, answer, sizeof answer) != SMFIC_OPTNEG)
        die("the milter does not negotiate");
    memcpy(&session->steps, answer + 8, 4);
    session->steps = ntohl(session->steps);
    const char address[] = "desk.corp.example\0004\262\156192.0.2.99";
    packet(session, SMFIC_CONNECT, address, sizeof address);
    step_done(session, SMFIP_NR_CONN);
}

static void send_message(struct session *session, const char *queue_id)
{
    char text[BUFFER_SIZE] = "", macros[128];
    size_t length = (size_t)snprintf(macros, sizeof macros, "M{auth_authen}%ccare%c", 0, 0);
    packet(session, SMFIC_MACRO, macros, length);
    packet_text(session, SMFIC_MAIL, "<care@corp.example>", NULL);
    step_done(session, SMFIP_NR_MAIL);
    for (unsigned i = 0, at = 0; i < options.parties && at < sizeof text - 100; i++) {
        char address[100];
        snprintf(address, sizeof address, "person%u@customer%u.example", i, i);
        at += (unsigned)snprintf(text + at, sizeof text - at, "%s%s", i == 0 ? "" : ",\n ", address);
        char recipient[110];
        snprintf(recipient, sizeof recipient, "<%s>", address);
        packet_text(session, SMFIC_RCPT, recipient, NULL);
        step_done(session, SMFIP_NR_RCPT);
    }
    if ((session->steps & SMFIP_NODATA) == 0) {
        packet(session, SMFIC_DATA, "", 0);
        step_done(session, SMFIP_NR_DATA);
    }
    char id[100];
    snprintf(id, sizeof id, "<%s@corp.example>", queue_id);
    header(session, "From", "Care <care@corp.example>");
    header(session, "To", text);
    header(session, "Message-ID", id);
    header(session, "Subject", "the minutes of our meeting");
    if ((session->steps & SMFIP_NOEOH) == 0) {
        packet(session, SMFIC_EOH, "", 0);
        step_done(session, SMFIP_NR_EOH);
    }
    flush(session);
}

static void end_message(struct session *session, const char *queue_id)
{
    char macros[128], answer[4096], command;
    bool quarantine = false;
    size_t length = (size_t)snprintf(macros, sizeof macros, "Ei%c%s%c", 0, queue_id, 0);
    packet(session, SMFIC_MACRO, macros, length);
    packet(session, SMFIC_BODYEOB, "", 0);
    double began = now();
    flush(session);
    while ((command = read_answer(session, answer, sizeof answer)) == SMFIR_QUARANTINE)
        quarantine = true;
    session->waited[session->held + session->deferred + session->others] = now() - began;
    if (quarantine && (command == SMFIR_ACCEPT || command == SMFIR_CONTINUE))
        session->held++;
    else if (command == SMFIR_TEMPFAIL || (command == SMFIR_REPLYCODE && answer[0] == '4'))
        session->deferred++;
    else
        session->others++;
}

static void pause_between(void)
{
    struct timespec time = {.tv_sec = options.idle / 1000, .tv_nsec = (long)(options.idle % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static void *run_session(void *data)
{
    struct session *session = data;
    negotiate(session);
    for (unsigned i = 0; i < session->messages; i++) {
        char queue_id[64];
        snprintf(queue_id, sizeof queue_id, "%sx%uy%u", options.prefix, session->number, i);
        send_message(session, queue_id);
        if (options.bursts > 0) {
            pause_between();
            pthread_barrier_wait(&barrier);
        }
        end_message(session, queue_id);
    }
    packet(session, SMFIC_QUIT, "", 0);
    flush(session);
    close(session->fd);
    return NULL;
}

/* ---- the whole */

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (strlen(path) >= sizeof address.sun_path)
        die("the path of the socket is too long");
    strcpy(address.sun_path, path);
    if (fd == -1 || connect(fd, (struct sockaddr *)&address, sizeof address) == -1)
        die("cannot connect to the milter");
    return fd;
}

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return first < second ? -1 : first > second;
}

static void print(const struct session *sessions, double seconds)
{
    unsigned held = 0, deferred = 0, others = 0, all = 0;
    double *waited = calloc((size_t)options.connections * sessions[0].messages, sizeof *waited);
    if (waited == NULL)
        die("out of memory");
    for (unsigned i = 0; i < options.connections; i++) {
        held += sessions[i].held;
        deferred += sessions[i].deferred;
        others += sessions[i].others;
        memcpy(waited + all, sessions[i].waited, sessions[i].messages * sizeof *waited);
        all += sessions[i].messages;
    }
    qsort(waited, all, sizeof *waited, compare);
    printf("held=%u deferred=%u others=%u seconds=%.3f median=%.2f p99=%.2f longest=%.2f\n", held, deferred, others,
           seconds, waited[all / 2], waited[(size_t)all * 99 / 100], waited[all - 1]);
    free(waited);
}

static unsigned number(const char *text, unsigned least, unsigned most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || value < least || value > most)
        die("a number is out of its range");
    return (unsigned)value;
}

static void read_options(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "c:n:b:i:p:q:")) != -1) {
        switch (option) {
        case 'c':
            options.connections = number(optarg, 1, CONNECTIONS_LIMIT);
            break;
        case 'n':
            options.messages = number(optarg, 1, 10000000);
            break;
        case 'b':
            options.bursts = number(optarg, 1, 100000);
            break;
        case 'i':
            options.idle = number(optarg, 0, 60000);
            break;
        case 'p':
            options.parties = number(optarg, 1, 400);
            break;
        case 'q':
            options.prefix = optarg;
            break;
        default:
            die("usage: held-load [-c CONNECTIONS] [-n MESSAGES] [-b BURSTS] [-i MILLISECONDS] [-p PARTIES] "
                "[-q PREFIX] SOCKET");
        }
    }
    if (argc - optind != 1)
        die("one socket is needed");
    options.socket = argv[optind];
}

int main(int argc, char **argv)
{
    static struct session sessions[CONNECTIONS_LIMIT];
    static pthread_t threads[CONNECTIONS_LIMIT];
    read_options(argc, argv);
    unsigned each =
        options.bursts > 0 ? options.bursts : (options.messages + options.connections - 1) / options.connections;
    pthread_barrier_init(&barrier, NULL, options.connections);
    for (unsigned i = 0; i < options.connections; i++) {
        sessions[i].number = i;
        sessions[i].messages = each;
        sessions[i].waited = calloc(each, sizeof(double));
        sessions[i].fd = connect_to(options.socket);
    }
    double began = now();
    for (unsigned i = 0; i < options.connections; i++) {
        if (pthread_create(&threads[i], NULL, run_session, &sessions[i]) != 0)
            die("cannot start a thread");
    }
    for (unsigned i = 0; i < options.connections; i++)
        pthread_join(threads[i], NULL);
    print(sessions, (now() - began) / 1e3);
    return 0;
}
