/* filter - see filter.h */

#include "milter/daemon/filter.h"

#include "milter/arrival/arrival_answers.h"
#include "milter/common/process_memory.h"
#include "milter/daemon/held_record.h"
#include "milter/daemon/ledger_writer.h"
#include "milter/daemon/libmilter_calls.h"
#include "milter/daemon/login_watch.h"
#include "milter/daemon/mail_answer.h"
#include "milter/daemon/mta_macros.h"
#include "milter/daemon/smtp_reply.h"
#include "milter/log/log.h"
#include "milter/log/log_fields.h"

#include <libmilter/mfapi.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* A recipient header of that many bytes passes libmilter; its own default is 65,535 and cuts the connection. */
#define PACKET_LIMIT (16u * 1024 * 1024)

/* Deleting a field costs the MTA a pass over all of them: who brings more than this is not served. */
#define TAG_FIELDS_LIMIT 1000u

/* Bytes of a body that an MTA sends at once, unless they are its last ones. */
#define BODY_CHUNK 65535u

/*
 * What is wanted to be left out, where the MTA offers it; bodies only if the policy needs none.  Not the end of the
 * header: of a message without header fields Sendmail sends DATA and the end of the message, and libmilter drops an end
 * that comes right after DATA without a word, so that the MTA waits for its answer.
 */
#define STEPS_LEFT_OUT (SMFIP_NOHELO | SMFIP_NOBODY | SMFIP_NOUNKNOWN)

/*
 * The steps whose callbacks never answer.  libmilter offers these bits always: for
 * an MTA that lacks one it answers itself.  Never those of a step that may answer:
 * its answer would be swallowed, and the MTA would wait for it.  A body's may be: by a skip.
 */
#define STEPS_WITHOUT_REPLY (SMFIP_NR_CONN | SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_EOH)

#define ACTIONS (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_DELRCPT)

/* State of one SMTP session, and of the message that is on its way in it. */
struct connection {
    bool bodies; /* the MTA sends them, as was negotiated, */
    bool skips;  /* and can be told that it has sent enough of one */
    bool begun;  /* what follows is known */
    enum mta mta;
    char *client;   /* numeric, or NULL */
    char *listener; /* or NULL */
    char *instance; /* of the MTA, or NULL */
    bool local;

    struct arrival arrival; /* its message is NULL outside of one that is evaluated */
    struct policy *policy;  /* in force since MAIL FROM */
    gint64 began;           /* MAIL FROM, microseconds since 1970 */
    enum outbound outbound;
    bool passed;                    /* accepted at MAIL FROM: not ours to judge */
    struct arrival_answers answers; /* recipients that are addresses of ours */
    unsigned tag_fields;            /* FILTER_TAG_FIELD fields that the message brought */
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
    arrival_end(service_room(service), &connection->arrival);
    g_clear_pointer(&connection->policy, policy_unref);
    connection->passed = false;
    arrival_answers_clear(&connection->answers);
    connection->tag_fields = 0;
}

static void session_forget(struct connection *connection)
{
    message_forget(connection);
    g_clear_pointer(&connection->client, g_free);
    g_clear_pointer(&connection->listener, g_free);
    g_clear_pointer(&connection->instance, g_free);
}

/* What libmilter keeps for us of a connection; it begins with the first call that needs it. */
static struct connection *connection_of(SMFICTX *context)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection != NULL)
        return connection;
    connection = g_new0(struct connection, 1);
    smfi_setpriv(context, connection);
    service_connection_opened(service);
    return connection;
}

static void session_begin(SMFICTX *context, struct connection *connection)
{
    const char *version = macro_needed(context, MACRO_VERSION);
    const char *listener = macro_needed(context, MACRO_LISTENER);
    session_forget(connection); /* an MTA that begins one anew without a word */
    connection->mta = mta_of_version(version);
    /* Kept from here: later stages of Postfix answer with another daemon's name. */
    connection->listener = g_strdup(listener);
    connection->instance = mta_instance(version);
    connection->begun = true;
}

static void connection_free(struct connection *connection)
{
    session_forget(connection);
    g_free(connection);
    service_connection_closed(service);
}

/* ---- collecting */

static sfsistat on_negotiate(SMFICTX *context, unsigned long offered_actions, unsigned long offered_steps,
                             unsigned long reserved2, unsigned long reserved3, unsigned long *actions,
                             unsigned long *steps, unsigned long *wanted2, unsigned long *wanted3)
{
    (void)reserved2;
    (void)reserved3;
    struct connection *connection = connection_of(context);
    auto_free(policy) policy = service_policy(service);
    const bool answers = service_config(service)->review.answers != NULL;
    /* Where an action is missing it will fail when it is tried, and on-error says what then. */
    *actions = offered_actions & ((ACTIONS & ~(answers ? 0u : SMFIF_DELRCPT)) | SMFIF_SETSYMLIST);
    /* Not among them: SMFIP_HDR_LEADSPC, the value's leading blank, which nobody needs. */
    *steps = offered_steps & (STEPS_LEFT_OUT | STEPS_WITHOUT_REPLY);
    if (policy_asks_body(policy)) {
        *steps = (*steps & ~(unsigned long)SMFIP_NOBODY) | (offered_steps & SMFIP_SKIP);
        connection->skips = (offered_steps & SMFIP_SKIP) != 0;
    }
    connection->bodies = (*steps & SMFIP_NOBODY) == 0;
    /* Where people answer by mail, the recipients of all messages are looked at before DATA: see on_data.
       Over TCP it is answered on purpose, see on_data; a socket of the file system waits for nothing. */
    if (service_config(service)->socket->kind == ENDPOINT_UNIX && !answers)
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
    struct connection *connection = connection_of(context);
    session_begin(context, connection);

    unsigned port;
    connection->client = endpoint_client(address, &port);
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
    message_set_instance(message, connection->instance);
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

/*
 * The policy needs bodies, and the one that was in force when this connection began did not: the MTA will send them on
 * another one only, and 421 makes it begin one.
 */
static sfsistat anew(SMFICTX *context, struct connection *connection)
{
    log_line(LOG_NOTICE, "body: the policy needs it since a reload, and this connection of the MTA is older and brings "
                         "none: deferred with 421");
    message_forget(connection);
    smfi_setreply(context, (char *)"421", (char *)"4.3.2",
                  (char *)"the mail filter has a new policy; connect and try again");
    return SMFIS_TEMPFAIL;
}

/* Mail that is not outbound, and no answer to us. */
static sfsistat pass_by(struct connection *connection)
{
    service_count_not_outbound(service);
    message_forget(connection);
    connection->passed = true;
    return SMFIS_ACCEPT;
}

/* Whether it is not outbound; nothing of it is kept then, unless it answers us about held mail. */
static bool is_other(const struct connection *connection)
{
    return connection->outbound == OUTBOUND_NO && connection->answers.decision.kind == ANSWER_NONE;
}

static sfsistat on_mail(SMFICTX *context, char **arguments)
{
    struct connection *connection = connection_of(context);
    if (!connection->begun)
        session_begin(context, connection);
    message_forget(connection);
    connection->arrival.message = message_begin(context, connection, arguments[0] == NULL ? "" : arguments[0]);
    connection->policy = service_policy(service);
    connection->began = g_get_real_time();

    struct service_evaluation evaluation;
    if (!service_evaluation_begin(service, &evaluation))
        return later(context, connection);
    connection->outbound = policy_outbound(connection->policy, connection->arrival.message);
    service_evaluation_end(service, &evaluation);
    bool body = connection->outbound != OUTBOUND_NO && policy_asks_body(connection->policy);
    if (body && !connection->bodies)
        return anew(context, connection);
    if (body)
        arrival_expect_body(service_room(service), &connection->arrival,
                            (size_t)service_config(service)->body * MEBIBYTE);
    if (connection->outbound != OUTBOUND_NO)
        return SMFIS_CONTINUE;
    if (service_config(service)->review.answers != NULL) /* its recipients say whether it is one for us */
        return SMFIS_CONTINUE;
    return pass_by(connection);
}

static sfsistat on_recipient(SMFICTX *context, char **arguments)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection == NULL || connection->arrival.message == NULL || arguments[0] == NULL ||
        arrival_answers_take(&connection->answers, &service_config(service)->review, service_room(service),
                             &connection->arrival, arguments[0]) ||
        is_other(connection))
        return SMFIS_NOREPLY;
    arrival_recipient(service_room(service), &connection->arrival, arguments[0]);
    return SMFIS_NOREPLY;
}

/* Answered on purpose: without an answer here, each message over TCP waits 40 ms for an acknowledgement. */
static sfsistat on_data(SMFICTX *context)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection != NULL && connection->arrival.message != NULL && is_other(connection) &&
        connection->answers.overrides == NULL)
        return pass_by(connection);
    return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection == NULL || connection->arrival.message == NULL || is_other(connection))
        return SMFIS_NOREPLY;
    struct arrival *arrival = &connection->arrival;
    if (strcmp(name, LIBMILTER_NO_MEMORY) == 0)
        arrival_refuse(service_room(service), arrival, MEMORY_FULL);
    if (strcasecmp(name, FILTER_TAG_FIELD) == 0)
        connection->tag_fields++;
    arrival_header(service_room(service), arrival, name, value);
    return SMFIS_NOREPLY;
}

/* There is nothing to do; that it is asked for is what matters, see STEPS_LEFT_OUT. */
static sfsistat on_end_of_header(SMFICTX *context)
{
    (void)context;
    return SMFIS_NOREPLY;
}

/*
 * A part that comes with the end of the message, which is shorter, is never answered by a skip: libmilter would send
 * that in place of the answer to the message.
 */
static sfsistat on_body(SMFICTX *context, unsigned char *bytes, size_t length)
{
    struct connection *connection = smfi_getpriv(context);
    bool wanted = connection != NULL && arrival_body(service_room(service), &connection->arrival, bytes, length);
    return wanted || connection == NULL || !connection->skips || length < BODY_CHUNK ? SMFIS_CONTINUE : SMFIS_SKIP;
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
    struct hold *hold = hold_new(connection->policy, connection->arrival.message, verdict,
                                 service_config(service)->subject, connection->began, g_get_real_time());
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
    hold_wake(service_config(service)->ledger, connection->policy, verdict);
    return NULL;
}

static char *tag(SMFICTX *context, const struct verdict *verdict)
{
    if (smfi_addheader(context, (char *)FILTER_TAG_FIELD, verdict->rule) != MI_SUCCESS)
        return g_strdup("the MTA does not let a field be added");
    return NULL;
}

/* The address by which the message overrides a refusal is nobody's. */
static char *remove_answers(SMFICTX *context, const struct connection *connection)
{
    for (unsigned i = 0; connection->answers.overrides != NULL && i < connection->answers.overrides->len; i++) {
        if (smfi_delrcpt(context, g_ptr_array_index(connection->answers.overrides, i)) != MI_SUCCESS)
            return g_strdup("the MTA does not let the address be removed by which a refusal was overridden");
    }
    return NULL;
}

/* A window of many messages refuses it: what its author has on delay stays on hold. */
static char *end_delays(const struct connection *connection, const struct verdict *verdict)
{
    struct ledger_trip *trip = hold_trip(connection->policy, connection->arrival.message, verdict, g_get_real_time());
    char *failure = trip == NULL ? NULL : keeper_end_delays(service_keeper(service), trip);
    if (failure != NULL)
        metrics_count_ledger_error(service_metrics(service), METRICS_DELAY);
    return failure;
}

/* What has to be done before the MTA gets its answer.  NULL, or why it could not be, for g_free. */
static char *act(SMFICTX *context, const struct connection *connection, const struct verdict *verdict)
{
    char *failure = disposition_reply(verdict->disposition) == NULL ? remove_answers(context, connection) : NULL;
    if (failure != NULL)
        return failure;
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
        return end_delays(connection, verdict);
    }
    return NULL;
}

/* Of an action that failed: what was to be refused is not accepted for that, nor with an address of ours in it. */
static enum disposition disposition_of_failure(const struct connection *connection, const struct verdict *verdict,
                                               const struct evaluate_options *options)
{
    const enum disposition on_error = service_config(service)->on_error;
    bool refusal = !verdict->error && disposition_reply(verdict->disposition) != NULL;
    bool changed = on_error == DISPOSITION_ACCEPT && !options->accept_on_error; /* by a reload: it is not prepared */
    return refusal || changed || connection->answers.overrides != NULL ? DISPOSITION_TEMPFAIL : on_error;
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

/* What the reply says; only the sender learns the address that overrides the refusal. */
static char *reply_text(const struct verdict *verdict)
{
    const struct answer_address answer = {.kind = ANSWER_OVERRIDE, .code = verdict->override.code};
    if (verdict->override.reply == NULL)
        return g_strdup(verdict->text);
    const struct review *review = &service_config(service)->review;
    return answer_address_insert(review, &answer, verdict->override.reply, VERDICT_OVERRIDE_PLACE);
}

/*
 * Logs and answers.  An action that failed goes by on-error, and the line tells
 * what came of the message, not what was meant: rule=error:NAME.  So does what is remembered of it.  `judging` is
 * how long the policy took with these options, in microseconds.
 */
static sfsistat conclude(SMFICTX *context, const struct connection *connection, const struct verdict *verdict,
                         const struct evaluate_options *options, gint64 judging)
{
    const struct config *config = service_config(service);
    g_autofree char *error_rule = NULL;
    struct report report;
    report_fill(&report, connection->arrival.message, verdict, policy_digest(connection->policy));

    g_autofree char *failure = act(context, connection, verdict);
    /* An evaluation that lacked the state is the same to on-error as an action that failed. */
    if (verdict->error) {
        g_free(failure);
        failure = g_strdup(verdict->text);
    }
    if (failure != NULL) {
        error_rule = verdict->error ? g_strdup(verdict->rule) : g_strconcat("error:", verdict->rule, NULL);
        report.rule = error_rule;
        report.text = failure;
        report.disposition = disposition_of_failure(connection, verdict, options);
    }
    if (options->state != NULL)
        verdict_settle(verdict, options->state, verdict_end_of(report.disposition), options->now);
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
    g_autofree char *text = reply_text(verdict);
    return answer(context, report.disposition,
                  failure == NULL ? text : "the mail system could not act on this message; try again later");
}

static sfsistat evaluate(SMFICTX *context, struct connection *connection)
{
    const struct state_client *remembered = service_state(service);
    struct evaluate_options options = {
        .now = g_get_real_time() / G_USEC_PER_SEC,
        .on_fault = service_config(service)->on_fault,
        .outbound = connection->outbound,
        .accept_on_error = service_config(service)->on_error == DISPOSITION_ACCEPT,
        .state = remembered == NULL ? NULL : state_client_state(remembered),
        .permits = service_config(service)->review.answers != NULL,
        .override = connection->answers.overrides != NULL ? &connection->answers.code : NULL,
    };
    struct service_evaluation evaluation;
    if (!service_evaluation_begin(service, &evaluation))
        return later(context, connection);
    auto_free(verdict) verdict = policy_evaluate(connection->policy, connection->arrival.message, &options);
    login_watch_note(service_logins(service), connection->policy, connection->arrival.message);
    sfsistat result = conclude(context, connection, verdict, &options, g_get_monotonic_time() - evaluation.started);
    service_count_judged(service);
    service_evaluation_end(service, &evaluation);
    return result;
}

/* The line of a message of which no rule was tried. */
static void log_untried(const struct connection *connection, enum disposition disposition, const char *rule,
                        const char *text)
{
    const struct message *message = connection->arrival.message;
    struct report report = {.queue_id = message->queue_id,
                            .disposition = disposition,
                            .rule = rule,
                            .counts = {.defects = connection->arrival.no_memory != MEMORY_GIVEN ? DEFECT_LIMIT : 0},
                            .policy = policy_digest(connection->policy),
                            .client = message->client,
                            .user = message->user,
                            .sender = message->sender,
                            .text = text};
    struct entry entry;
    report_entry(&entry, &report);
    log_entry(&entry);
}

/* What was collected is gone, so nothing of it can be evaluated, and nothing of it may pass. */
static sfsistat defer_for_memory(SMFICTX *context, struct connection *connection)
{
    bool one = connection->arrival.no_memory == MEMORY_ONE_OWNER;
    g_autofree char *text = arrival_refusal(service_room(service), &connection->arrival);
    log_untried(connection, DISPOSITION_TEMPFAIL, "error:memory", text);
    metrics_count_no_memory(service_metrics(service), one ? METRICS_SENDER : METRICS_ALL);
    message_forget(connection);
    smfi_setreply(context, (char *)"451", (char *)"4.3.1",
                  one ? (char *)"too much mail of yours is being received at once; "
                                "send fewer or shorter messages at a time, and try again later"
                      : (char *)"the mail filter has no memory for this message now; try again later");
    return SMFIS_TEMPFAIL;
}

/* Mail that was not refused here, since it is not evaluated, and overrides a refusal all the same. */
static sfsistat refuse_other(SMFICTX *context, struct connection *connection)
{
    const char *text = "the address that overrides a refusal is for senders who log in as they did when they were "
                       "refused";
    log_untried(connection, DISPOSITION_REJECT, "override:outbound", text);
    metrics_count_override(service_metrics(service), METRICS_OVERRIDE_REFUSED);
    sfsistat result = answer(context, DISPOSITION_REJECT, text);
    message_forget(connection);
    return result;
}

/* Its row is on the disk before the answer is discarded. */
static struct answered take_decision(const struct connection *connection)
{
    const struct message *message = connection->arrival.message;
    const char *fault = mail_answer_fault(message, connection->answers.recipients);
    char *error = NULL;
    if (fault != NULL)
        return (struct answered){ANSWERED_REFUSED, g_strdup(fault)};
    struct received_answer *received =
        mail_answer_new(service_config(service), connection->policy, message, &connection->answers.decision, &error);
    if (received == NULL)
        return (struct answered){ANSWERED_NOT, error};
    return keeper_answer(service_keeper(service), received);
}

static sfsistat answer_decision(SMFICTX *context, const struct connection *connection)
{
    static const enum disposition dispositions[] = {[ANSWERED_TAKEN] = DISPOSITION_ACCEPT,
                                                    [ANSWERED_REFUSED] = DISPOSITION_REJECT,
                                                    [ANSWERED_NOT] = DISPOSITION_TEMPFAIL};
    static const char *const rules[] = {
        [ANSWERED_TAKEN] = "answer:taken", [ANSWERED_REFUSED] = "answer:refused", [ANSWERED_NOT] = "error:answer"};
    const struct answered answered = take_decision(connection);
    const enum disposition disposition = dispositions[answered.result];
    g_autofree char *text = answered.text;
    log_untried(connection, disposition, rules[answered.result], text);
    metrics_count_answer(service_metrics(service), (unsigned)answered.result);
    if (answered.result == ANSWERED_TAKEN)
        return SMFIS_DISCARD;
    return answer(context, disposition,
                  answered.result == ANSWERED_REFUSED ? text : "the answer could not be recorded; try again later");
}

static sfsistat on_end_of_message(SMFICTX *context)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection != NULL && connection->passed) { /* an MTA that goes on after our answer */
        message_forget(connection);
        return SMFIS_ACCEPT;
    }
    if (connection == NULL || connection->arrival.message == NULL) {
        log_line(LOG_ERR, "protocol: the MTA ended a message that it did not begin; it is deferred");
        return SMFIS_TEMPFAIL;
    }
    if (is_other(connection) && connection->answers.overrides == NULL) /* an MTA without DATA */
        return pass_by(connection);
    /* Over SMTP, Postfix knows the queue id only after MAIL FROM. */
    const char *queue_id = macro_needed(context, MACRO_QUEUE_ID);
    if (queue_id != NULL)
        message_set_queue_id(connection->arrival.message, queue_id);

    if (is_other(connection))
        return refuse_other(context, connection);
    if (connection->arrival.no_memory != MEMORY_GIVEN)
        return defer_for_memory(context, connection);

    if (connection->answers.decision.kind != ANSWER_NONE) {
        sfsistat result = answer_decision(context, connection);
        message_forget(connection);
        return result;
    }
    arrival_complete(service_room(service), &connection->arrival);
    size_t weight = memory_evaluation_begin(service_memory(service), arrival_longest(&connection->arrival));
    sfsistat result = evaluate(context, connection);
    message_forget(connection);
    memory_evaluation_end(service_memory(service), weight);
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
        .xxfi_body = on_body,
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
