/* filter - see filter.h */

#include "milter/daemon/filter.h"

#include "milter/daemon/held_record.h"
#include "milter/daemon/ledger_writer.h"
#include "milter/daemon/login_watch.h"
#include "milter/daemon/mta_macros.h"
#include "milter/daemon/smtp_reply.h"
#include "milter/log/log.h"
#include "milter/log/log_fields.h"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* A recipient header of that many bytes passes libmilter; its own default is 65,535 and cuts the connection. */
#define PACKET_LIMIT (16u * 1024 * 1024)

/* Deleting a field costs the MTA a pass over all of them: who brings more than this is not served. */
#define TAG_FIELDS_LIMIT 1000u

/*
 * What is wanted to be left out, where the MTA offers it.  Not the end of the header: of a message without header
 * fields Sendmail sends DATA and the end of the message, and libmilter drops an end that comes right after DATA
 * without a word, so that the MTA waits for its answer.
 */
#define STEPS_LEFT_OUT (SMFIP_NOHELO | SMFIP_NOBODY | SMFIP_NOUNKNOWN)

/*
 * The steps whose callbacks never answer.  libmilter offers these bits always: for
 * an MTA that lacks one it answers itself.  Never those of a step that may answer:
 * its answer would be swallowed, and the MTA would wait for it.
 */
#define STEPS_WITHOUT_REPLY (SMFIP_NR_CONN | SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_EOH)

#define ACTIONS (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE)

/* State of one SMTP session, and of the message that is on its way in it. */
struct connection {
    enum mta mta;
    char *client;   /* numeric, or NULL */
    char *listener; /* or NULL */
    bool local;

    struct message *message; /* NULL outside of a message that is evaluated */
    struct policy *policy;   /* in force since MAIL FROM */
    gint64 began;            /* MAIL FROM, microseconds since 1970 */
    enum outbound outbound;
    bool passed;         /* accepted at MAIL FROM: not ours to judge */
    unsigned tag_fields; /* FILTER_TAG_FIELD fields that the message brought */
};

/* libmilter hands no context to callbacks of a process but this. */
static struct service *service;

/* A macro, or NULL. */
static const char *macro_of(SMFICTX *context, enum macro macro)
{
    return smfi_getsymval(context, (char *)macro_name(macro));
}

/* One that comes with every connection or message, or else it is said. */
static const char *macro_needed(SMFICTX *context, enum macro macro)
{
    const char *value = macro_of(context, macro);
    if (value == NULL || value[0] == '\0')
        macro_missing(macro);
    return value;
}

/* ---- state */

static void message_forget(struct connection *connection)
{
    g_clear_pointer(&connection->message, message_free);
    g_clear_pointer(&connection->policy, policy_unref);
    connection->passed = false;
    connection->tag_fields = 0;
}

static struct connection *connection_new(SMFICTX *context)
{
    struct connection *connection = g_new0(struct connection, 1);
    const char *version = macro_needed(context, MACRO_VERSION);
    const char *listener = macro_needed(context, MACRO_LISTENER);
    connection->mta = mta_of_version(version);
    /* Kept from here: later stages of Postfix answer with another daemon's name. */
    connection->listener = g_strdup(listener);
    smfi_setpriv(context, connection);
    service_connection_opened(service);
    return connection;
}

static void connection_free(struct connection *connection)
{
    message_forget(connection);
    g_free(connection->client);
    g_free(connection->listener);
    g_free(connection);
    service_connection_closed(service);
}

/* The client's address in numbers; an IPv4 address that came mapped into IPv6 is written as IPv4. */
static char *client_address(const struct sockaddr *address, unsigned *port)
{
    char text[INET6_ADDRSTRLEN];
    if (address != NULL && address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
        *port = ntohs(four->sin_port);
        return g_strdup(inet_ntop(AF_INET, &four->sin_addr, text, sizeof text));
    }
    if (address != NULL && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
        *port = ntohs(six->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
            return g_strdup(inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], text, sizeof text));
        return g_strdup(inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text));
    }
    *port = 0;
    return NULL;
}

/* ---- collecting */

static sfsistat on_negotiate(SMFICTX *context, unsigned long offered_actions, unsigned long offered_steps,
                             unsigned long reserved2, unsigned long reserved3, unsigned long *actions,
                             unsigned long *steps, unsigned long *wanted2, unsigned long *wanted3)
{
    (void)reserved2;
    (void)reserved3;
    /* Where an action is missing it will fail when it is tried, and on-error says what then. */
    *actions = offered_actions & (ACTIONS | SMFIF_SETSYMLIST);
    /* Not among them: SMFIP_HDR_LEADSPC, the value's leading blank, which nobody needs. */
    *steps = offered_steps & (STEPS_LEFT_OUT | STEPS_WITHOUT_REPLY);
    /* Over TCP it is answered on purpose, see on_data; a socket of the file system waits for nothing. */
    if (service_config(service)->socket->kind == ENDPOINT_UNIX)
        *steps |= offered_steps & SMFIP_NODATA;
    *wanted2 = 0;
    *wanted3 = 0;
    if ((offered_actions & SMFIF_SETSYMLIST) != 0) {
        smfi_setsymlist(context, SMFIM_CONNECT, (char *)"{daemon_name} v");
        /* `v` is there always: libmilter keeps the macros of the message before if there is none to replace them. */
        smfi_setsymlist(context, SMFIM_ENVFROM, (char *)"{auth_type} {auth_authen} i v");
        smfi_setsymlist(context, SMFIM_EOM, (char *)"i");
    }
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *context, char *host, _SOCK_ADDR *address)
{
    (void)host;
    struct connection *connection = smfi_getpriv(context);
    if (connection != NULL) /* an MTA that begins a session anew without a word */
        connection_free(connection);
    connection = connection_new(context);

    unsigned port;
    connection->client = client_address(address, &port);
    connection->local =
        client_is_loopback(connection->client) && (!mta_facts(connection->mta)->local_port_0 || port == 0);
    return SMFIS_NOREPLY;
}

static struct message *message_begin(SMFICTX *context, const struct connection *connection, const char *sender)
{
    struct message *message = message_new();
    const char *user = macro_of(context, MACRO_LOGIN);
    const char *mechanism = smfi_getsymval(context, (char *)"{auth_type}");
    message->mta = connection->mta;
    message->local = connection->local;
    message->bcc_visible = mta_facts(connection->mta)->delivers_bcc;
    message_set_client(message, connection->client);
    message_set_listener(message, connection->listener);
    if (user != NULL && user[0] != '\0')
        message_set_user(message, user);
    else if (mechanism != NULL && mechanism[0] != '\0')
        macro_missing(MACRO_LOGIN);
    message->authenticated = message->authenticated || (mechanism != NULL && mechanism[0] != '\0');
    message_set_sender(message, sender);
    message_set_queue_id(message, macro_of(context, MACRO_QUEUE_ID));
    return message;
}

/* While the service stops: nothing is evaluated any more, so nothing passes. */
static sfsistat later(SMFICTX *context, struct connection *connection)
{
    message_forget(connection);
    smfi_setreply(context, (char *)"451", (char *)"4.3.2", (char *)"the mail filter restarts; try again later");
    return SMFIS_TEMPFAIL;
}

static sfsistat on_mail(SMFICTX *context, char **arguments)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection == NULL)
        connection = connection_new(context);
    message_forget(connection);
    connection->message = message_begin(context, connection, arguments[0] == NULL ? "" : arguments[0]);
    connection->policy = service_policy(service);
    connection->began = g_get_real_time();

    struct service_evaluation evaluation;
    if (!service_evaluation_begin(service, &evaluation))
        return later(context, connection);
    connection->outbound = policy_outbound(connection->policy, connection->message);
    service_evaluation_end(service, &evaluation);
    if (connection->outbound != OUTBOUND_NO)
        return SMFIS_CONTINUE;
    service_count_not_outbound(service);
    message_forget(connection);
    connection->passed = true;
    return SMFIS_ACCEPT;
}

static sfsistat on_recipient(SMFICTX *context, char **arguments)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection != NULL && connection->message != NULL && arguments[0] != NULL)
        message_add_recipient(connection->message, arguments[0]);
    return SMFIS_NOREPLY;
}

/* Answered on purpose: without an answer here, each message over TCP waits 40 ms for an acknowledgement. */
static sfsistat on_data(SMFICTX *context)
{
    (void)context;
    return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection == NULL || connection->message == NULL)
        return SMFIS_NOREPLY;
    if (strcasecmp(name, FILTER_TAG_FIELD) == 0)
        connection->tag_fields++;
    message_add_header(connection->message, name, value);
    return SMFIS_NOREPLY;
}

/* There is nothing to do; that it is asked for is what matters, see STEPS_LEFT_OUT. */
static sfsistat on_end_of_header(SMFICTX *context)
{
    (void)context;
    return SMFIS_NOREPLY;
}

static sfsistat on_abort(SMFICTX *context)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection != NULL)
        message_forget(connection);
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *context)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection != NULL) {
        smfi_setpriv(context, NULL);
        connection_free(connection);
    }
    return SMFIS_CONTINUE;
}

/* ---- acting */

/* Removes the fields that the message brought: from the highest, for their numbers shift on Postfix and not on
 * Sendmail. */
static char *remove_tags(SMFICTX *context, unsigned count)
{
    if (count > TAG_FIELDS_LIMIT)
        return g_strdup("the message brought too many " FILTER_TAG_FIELD " fields");
    for (unsigned index = count; index > 0; index--) {
        if (smfi_chgheader(context, (char *)FILTER_TAG_FIELD, (int)index, NULL) != MI_SUCCESS)
            return g_strdup("the MTA does not let the " FILTER_TAG_FIELD " fields be removed that the message brought");
    }
    return NULL;
}

/* The record first: nothing is held that nobody could find again. */
static char *quarantine(SMFICTX *context, const struct connection *connection, const struct verdict *verdict)
{
    auto_free(hold) hold = hold_new(connection->policy, connection->message, verdict, service_config(service)->subject,
                                    connection->began, g_get_real_time());
    gint64 began = g_get_monotonic_time();
    char *failure = keeper_hold(service_keeper(service), hold);
    if (failure != NULL) {
        metrics_count_ledger_error(service_metrics(service), METRICS_HOLD);
        return failure;
    }
    metrics_time_ledger(service_metrics(service), g_get_monotonic_time() - began);
    g_autoptr(GString) reason = g_string_new(NULL);
    smtp_reason_append(reason, verdict->rule, verdict->text);
    if (smfi_quarantine(context, reason->str) != MI_SUCCESS)
        return g_strdup("the MTA does not take a quarantine");
    return NULL;
}

static char *tag(SMFICTX *context, const struct verdict *verdict)
{
    if (smfi_addheader(context, (char *)FILTER_TAG_FIELD, verdict->rule) != MI_SUCCESS)
        return g_strdup("the MTA does not let a field be added");
    return NULL;
}

/* What has to be done before the MTA gets its answer.  NULL, or why it could not be, for g_free. */
static char *act(SMFICTX *context, const struct connection *connection, const struct verdict *verdict)
{
    char *failure = NULL;
    switch (verdict->disposition) {
    case DISPOSITION_ACCEPT:
        return remove_tags(context, connection->tag_fields);
    case DISPOSITION_TAG:
        failure = remove_tags(context, connection->tag_fields);
        return failure != NULL ? failure : tag(context, verdict);
    case DISPOSITION_QUARANTINE: /* what is released later leaves as it is now, so no foreign tag may be on it */
        failure = remove_tags(context, connection->tag_fields);
        return failure != NULL ? failure : quarantine(context, connection, verdict);
    case DISPOSITION_REJECT:
    case DISPOSITION_TEMPFAIL:
        return NULL;
    }
    return NULL;
}

static void set_reply(SMFICTX *context, const struct disposition_reply *codes, const char *text)
{
    g_autoptr(GString) reply = g_string_new(NULL);
    smtp_reply_append(reply, text == NULL ? "" : text);
    /* Without its text the answer is given, in the MTA's words. */
    if (smfi_setreply(context, (char *)codes->code, (char *)codes->status, reply->str) != MI_SUCCESS)
        log_line(LOG_WARNING, "reply: libmilter did not take the text `%s`", reply->str);
}

static sfsistat answer(SMFICTX *context, enum disposition disposition, const char *text)
{
    const struct disposition_reply *codes = disposition_reply(disposition);
    if (codes == NULL)
        return SMFIS_ACCEPT;
    set_reply(context, codes, text);
    return codes->code[0] == '5' ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

/*
 * Logs and answers.  An action that failed goes by on-error, and the line tells
 * what came of the message, not what was meant: rule=error:NAME.  `judging` is how
 * long the policy took, in microseconds.
 */
static sfsistat conclude(SMFICTX *context, const struct connection *connection, const struct verdict *verdict,
                         gint64 judging)
{
    const struct config *config = service_config(service);
    g_autofree char *error_rule = NULL;
    struct report report;
    report_fill(&report, connection->message, verdict, policy_digest(connection->policy));

    g_autofree char *failure = act(context, connection, verdict);
    if (failure != NULL) {
        error_rule = g_strconcat("error:", verdict->rule, NULL);
        report.rule = error_rule;
        report.text = failure;
        report.disposition = config->on_error;
    }
    const struct metrics_message counted = {
        .verdict = verdict, .disposition = report.disposition, .failed = failure != NULL, .judging = judging};
    metrics_count_message(service_metrics(service), &counted);
    bool silent = report.disposition == DISPOSITION_ACCEPT && failure == NULL && !config->accepted &&
                  (report.would == NULL || report.would->len == 0);
    if (!silent) {
        struct entry entry;
        report_entry(&entry, &report);
        log_entry(&entry);
    }
    return answer(context, report.disposition,
                  failure == NULL ? verdict->text : "the mail system could not act on this message; try again later");
}

static sfsistat on_end_of_message(SMFICTX *context)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection != NULL && connection->passed) { /* an MTA that goes on after our answer */
        message_forget(connection);
        return SMFIS_ACCEPT;
    }
    if (connection == NULL || connection->message == NULL) {
        log_line(LOG_ERR, "protocol: the MTA ended a message that it did not begin; it is deferred");
        return SMFIS_TEMPFAIL;
    }
    /* Over SMTP, Postfix knows the queue id only after MAIL FROM. */
    const char *queue_id = macro_needed(context, MACRO_QUEUE_ID);
    if (queue_id != NULL)
        message_set_queue_id(connection->message, queue_id);

    struct judge_options options = {
        .now = g_get_real_time() / G_USEC_PER_SEC,
        .on_fault = service_config(service)->on_fault,
        .outbound = connection->outbound,
    };
    struct service_evaluation evaluation;
    if (!service_evaluation_begin(service, &evaluation))
        return later(context, connection);
    auto_free(verdict) verdict = policy_judge(connection->policy, connection->message, &options);
    login_watch_note(service_logins(service), connection->policy, connection->message);
    sfsistat result = conclude(context, connection, verdict, g_get_monotonic_time() - evaluation.started);
    service_count_judged(service);
    message_forget(connection);
    service_evaluation_end(service, &evaluation);
    return result;
}

/* ---- libmilter */

int filter_open(struct service *shared)
{
    /* Steps that have no callback here are left out by libmilter itself, where the MTA allows. */
    struct smfiDesc description = {
        .xxfi_name = (char *)"rcptguard",
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = ACTIONS,
        .xxfi_connect = on_connect,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_recipient,
        .xxfi_header = on_header,
        .xxfi_eoh = on_end_of_header,
        .xxfi_eom = on_end_of_message,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_data = on_data,
        .xxfi_negotiate = on_negotiate,
    };
    const struct config *config = service_config(shared);
    service = shared;
    if (smfi_register(description) != MI_SUCCESS || smfi_setconn(config->socket->name) != MI_SUCCESS ||
        smfi_settimeout((int)config->timeout) != MI_SUCCESS || smfi_setbacklog(SOMAXCONN) != MI_SUCCESS)
        return -1;
    smfi_setmaxdatasize(PACKET_LIMIT);

    /* The MTA reaches the socket through the group, which it has from a setgid directory. */
    mode_t mask = umask(0117);
    int result = smfi_opensocket(false);
    umask(mask);
    return result == MI_SUCCESS ? 0 : -1;
}

int filter_run(void)
{
    return smfi_main() == MI_SUCCESS ? 0 : -1;
}

const char *filter_library_version(void)
{
    static char text[32];
    unsigned major = 0, minor = 0, patch = 0;
    smfi_version(&major, &minor, &patch);
    g_snprintf(text, sizeof text, "%u.%u.%u", major, minor, patch);
    return text;
}
