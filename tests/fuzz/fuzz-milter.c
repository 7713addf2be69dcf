/*
 * fuzz-milter - a stream of callbacks, as libmilter would make them, against
 * milter/daemon/filter.c; libmilter itself is replaced by what stands at the end.
 *
 * The input is a script, one callback a line; nothing is too odd to be called:
 *
 *     0 1 2            the session that the next lines are about
 *     cXYname          connect: X the MTA (p s), Y the client (4 6 m l - ?), name its {daemon_name}
 *     Mflags sender    MAIL FROM; flags: a login, t its mechanism, i a queue id, n no sender at all
 *     Rrecipient       RCPT TO
 *     Dflags           DATA; flags: i a queue id
 *     Hname:value      a header field; 0x0b is a newline, 0x01 a mark of recipients
 *     Btext            a part of the body; after a * the text again and again, as long as an MTA's part is
 *     Eflags           end of message; flags: i another queue id, e an empty one, h one of a stranger,
 *                      1 2 3 4 the MTA refuses chgheader, addheader, quarantine, setreply
 *     A X              abort, close
 *     Nflags           negotiate; the flags are what the MTA offers
 *     P0 .. P4         another policy, and a reload
 *     Yflags           on-error: a t; on-fault: q f r; accepted: y n
 *
 * Marks tell where a text comes from: "zqNk" stands in each fact of message N,
 * "zr" in each recipient.  No line and no answer holds the mark of another
 * message, or of a recipient.  What is held has its row in a real ledger before
 * the MTA is asked for it, with the marks of its own message alone.
 */

#include "fuzz.h"

#include "milter/common/conf_load.h"
#include "milter/daemon/filter.h"
#include "milter/daemon/smtp_reply.h"
#include "milter/ledger/ledger.h"
#include "milter/log/log.h"
#include "milter/log/log_fields.h"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

const char fuzz_target[] = "milter";

#define SESSIONS      3
#define RELOADS_LIMIT 3
#define LINES_LIMIT   400
#define BODY_PART     65535u

enum stage { STAGE_CONNECT, STAGE_MAIL, STAGE_DATA, STAGE_END, STAGES };

/* A session as the MTA knows it; also libmilter's context. */
struct smfi_str {
    void *private;
    char *macros[STAGES][5]; /* in the order of macro_names */
    char *client;            /* as the log line should show it */

    bool bodies; /* they are sent, by what was negotiated */
    bool judged; /* a message is on its way, and MAIL was not answered by accept */
    bool passed; /* it was */
    unsigned message;
    unsigned tags; /* X-Rcptguard fields of the message */
    char *digest;  /* of the policy that was in force at MAIL */

    bool refuse_change, refuse_add, refuse_quarantine, refuse_reply;
    unsigned changed, added, quarantined, replied;
    char *code; /* of the reply */
};

static const char *const macro_names[5] = {"i", "v", "{daemon_name}", "{auth_authen}", "{auth_type}"};
enum macro { MACRO_ID, MACRO_VERSION, MACRO_DAEMON, MACRO_LOGIN, MACRO_MECHANISM };

static struct smfiDesc callbacks;
static struct service *service;
static struct config *config;
static struct smfi_str sessions[SESSIONS];
static unsigned messages;       /* numbers of messages, from 1 */
static GPtrArray *lines;        /* logged since it was last emptied */
static unsigned current;        /* the message whose marks may appear; 0: none */
static struct database *ledger; /* what the daemon writes, looked at from outside */
static bool ledger_used;        /* there are rows */

/* ---- marks */

/* No mark of recipients, and none of another message. */
static void check_marks(const char *text)
{
    fuzz_check(strstr(text, "zr") == NULL, "a recipient in `%s`", text);
    for (const char *p = text; (p = strstr(p, "zq")) != NULL; p += 2) {
        char *end;
        guint64 number = g_ascii_strtoull(p + 2, &end, 10);
        fuzz_check(*end != 'k' || number == current, "something of message %" G_GUINT64_FORMAT " in message %u: `%s`",
                   number, current, text);
    }
}

static char *mark(const char *text)
{
    return g_strdup_printf("zq%uk%s", messages, text);
}

/* An address with the mark in its local part; what is empty stays so. */
static char *mark_address(const char *text)
{
    bool bracket = text[0] == '<';

    if (text[0] == '\0' || strcmp(text, "<>") == 0)
        return g_strdup(text);
    return g_strdup_printf("%szq%uk%s", bracket ? "<" : "", messages, text + bracket);
}

/* ---- the ledger */

/* The newest row is of the message at hand and holds no foreign mark; a party is a domain, and no mailbox. */
static void check_row(void)
{
    g_autofree char *lead = g_strdup_printf("zq%uk", current);
    struct database_error error;
    struct statement *row =
        database_query(ledger,
                       "SELECT queue_id || '|' || ifnull(message_id, '') || '|' || sender || '|' || ifnull(user, '')"
                       " || '|' || ifnull(subject, '') || '|' || ifnull(text, '') || '|' || ifnull(author, ''),"
                       " (SELECT count(*) FROM party WHERE held = held.id AND instr(name, '@') > 0)"
                       " FROM held WHERE state = 'pending' ORDER BY id DESC LIMIT 1",
                       NULL, 0);
    int there = statement_step(row, &error);
    fuzz_check(there != -1, "the ledger: %s", error.text);
    fuzz_check(there == 1 && g_str_has_prefix(statement_text(row, 0), lead), "held without a row");
    check_marks(statement_text(row, 0));
    fuzz_check(statement_number(row, 1) == 0, "the ledger keeps a mailbox");
    statement_reset(row);
    ledger_used = true;
}

static void ledger_empty(void)
{
    struct database_error error;
    if (ledger_used)
        fuzz_check(database_run(ledger, "DELETE FROM held", &error) == 0, "the ledger: %s", error.text);
    ledger_used = false;
}

static void ledger_start(void)
{
    struct database_error error;
    ledger = database_open(config->ledger, geteuid(), DATABASE_EXISTING, 500, &error);
    fuzz_check(ledger != NULL, "the ledger: %s", error.text);
}

/* ---- the log */

/* One object: its braces and brackets close, its strings end, and it is bounded. */
static void check_json(const char *json, size_t length)
{
    int depth = 0;
    bool string = false;

    fuzz_check(length <= ENTRY_LINE_LIMIT && json[0] == '{' && json[length - 1] == '}', "%zu bytes of JSON: %s", length,
               json);
    for (const char *byte = json; *byte != '\0'; byte++) {
        fuzz_check(*byte >= ' ' && *byte <= '~' && *byte != '=', "not printable: %s", json);
        if (string && *byte == '\\')
            fuzz_check(strchr("\"\\u", *++byte) != NULL, "an escape: %s", json);
        else if (*byte == '"')
            string = !string;
        else if (!string)
            depth += (*byte == '{' || *byte == '[') - (*byte == '}' || *byte == ']');
        fuzz_check(depth > 0 || byte == json + length - 1, "ends before its end: %s", json);
    }
    fuzz_check(depth == 0 && !string, "not closed: %s", json);
}

void log_entry(const struct entry *entry)
{
    GString *line = g_string_new(NULL);
    g_autoptr(GString) json = g_string_new(NULL);
    entry_json(json, entry);
    check_json(json->str, json->len);
    entry_line(line, entry);
    g_ptr_array_add(lines, g_string_free(line, FALSE));
}

void log_event(struct entry *entry, const char *format, ...)
{
    va_list arguments;

    (void)entry;
    va_start(arguments, format);
    g_ptr_array_add(lines, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void log_line(int priority, const char *format, ...)
{
    va_list arguments;
    char *line;

    (void)priority;
    va_start(arguments, format);
    line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    /* What an MTA does not send is said once in the life of the process, whichever input it is. */
    if (g_str_has_prefix(line, "macros: "))
        g_free(line);
    else
        g_ptr_array_add(lines, line);
}

void log_as_json(bool yes)
{
    (void)yes;
}

void log_diags(const struct diags *diags, const char *lead)
{
    for (unsigned i = 0; i < diags_count(diags); i++) {
        g_autofree char *line = diag_format_line(diags_get(diags, i));
        fuzz_fail("a policy of the test has a mistake: %s%s", lead, line);
    }
}

/* The value of a field, up to the blank behind it. */
static char *field_of(const char *line, const char *name)
{
    const char *start = strstr(line, name);

    fuzz_check(start != NULL, "no `%s` in `%s`", name, line);
    start += strlen(name);
    return g_strndup(start, strcspn(start, " "));
}

static void check_form(const char *line)
{
    static const char *const names[] = {
        ": verdict=", " rule=",   " would=",  " visible=", " parties=", " domains=", " internal=", " hidden=",
        " defects=",  " policy=", " client=", " user=",    " sender=",  " msgid=",   " text=\""};
    const char *at = line;

    fuzz_check(strlen(line) <= ENTRY_LINE_LIMIT, "a line of %zu bytes", strlen(line));
    for (const char *p = line; *p != '\0'; p++)
        fuzz_check(*p >= ' ' && *p <= '~', "byte %02x in a line", (unsigned char)*p);
    /* Each field once and in order: values hold no blank, and only counts come after the text. */
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        at = i == 0 ? strchr(line, ':') : strchr(at + 1, ' ');
        while (i == 0 && at != NULL && at[1] != ' ')
            at = strchr(at + 1, ':');
        fuzz_check(at != NULL && g_str_has_prefix(at, names[i]), "no `%s` where it should be: `%s`", names[i], line);
        at += i == 0 ? 1 : 0;
    }
    const char *end = strrchr(line, '"');
    fuzz_check(strchr(strchr(at, '"') + 1, '"') == end, "the text is not one: `%s`", line);
    fuzz_check(g_regex_match_simple("^( inside=[a-z0-9:/,]+)?( opaque=[a-z,]+)?$", end + 1, 0, 0),
               "what comes after the text: `%s`", line);
}

/* ---- what came of a message */

static void check_line(const struct smfi_str *session, const char *line, const char *queue_id, const char *verdict,
                       sfsistat result)
{
    g_autofree char *digest = field_of(line, " policy=");
    g_autofree char *client = field_of(line, " client=");
    g_autofree char *rule = field_of(line, " rule=");

    check_form(line);
    if (queue_id == NULL || queue_id[0] == '\0')
        fuzz_check(g_str_has_prefix(line, "NOQUEUE: "), "no queue id: `%s`", line);
    else
        fuzz_check(strncmp(line, queue_id, strcspn(queue_id, " \x0b\"<>,=\\")) == 0, "another queue id than %s: `%s`",
                   queue_id, line);
    fuzz_check(strncmp(digest, session->digest, POLICY_DIGEST_SHOWN) == 0, "another policy than at MAIL: `%s`", line);
    fuzz_check(strcmp(client, session->client != NULL ? session->client : "-") == 0, "another client than %s: `%s`",
               session->client, line);
    fuzz_check(result == (strcmp(verdict, "reject") == 0     ? SMFIS_REJECT
                          : strcmp(verdict, "tempfail") == 0 ? SMFIS_TEMPFAIL
                                                             : SMFIS_ACCEPT),
               "answered %d: `%s`", (int)result, line);
    if (g_str_has_prefix(rule, "error:"))
        return;
    fuzz_check(session->quarantined == (strcmp(verdict, "quarantine") == 0), "quarantined %u times: `%s`",
               session->quarantined, line);
    fuzz_check(session->added == (strcmp(verdict, "tag") == 0), "tagged %u times: `%s`", session->added, line);
    fuzz_check(session->changed == (result == SMFIS_ACCEPT ? session->tags : 0), "%u of %u tags removed: `%s`",
               session->changed, session->tags, line);
    fuzz_check(session->replied == (result != SMFIS_ACCEPT) || session->refuse_reply, "%u replies: `%s`",
               session->replied, line);
    fuzz_check(session->code == NULL || session->code[0] == (result == SMFIS_REJECT ? '5' : '4'), "code %s: `%s`",
               session->code, line);
}

static const char *queue_id_of(const struct smfi_str *session)
{
    for (enum stage stage = STAGES; stage-- > STAGE_CONNECT;)
        if (session->macros[stage][MACRO_ID] != NULL)
            return session->macros[stage][MACRO_ID];
    return NULL;
}

static void check_end(struct smfi_str *session, sfsistat result)
{
    unsigned reports = 0;

    for (unsigned i = 0; i < lines->len; i++) {
        const char *line = g_ptr_array_index(lines, i);
        check_marks(line);
        if (strstr(line, ": verdict=") == NULL) {
            fuzz_check(session->refuse_reply || (!session->judged && !session->passed), "an unasked line: `%s`", line);
            continue;
        }
        g_autofree char *verdict = field_of(line, ": verdict=");
        reports++;
        fuzz_check(session->judged, "a line of a message that is not judged: `%s`", line);
        check_line(session, line, queue_id_of(session), verdict, result);
    }
    if (!session->judged)
        fuzz_check(result == (session->passed ? SMFIS_ACCEPT : SMFIS_TEMPFAIL) && reports == 0, "%s, and answered %d",
                   session->passed ? "not judged" : "never begun", (int)result);
    else if (config->accepted || result != SMFIS_ACCEPT || session->quarantined > 0 || session->added > 0)
        fuzz_check(reports == 1, "%u lines of one message", reports);
    else
        fuzz_check(reports <= 1, "%u lines of one message", reports);
}

/* ---- the callbacks */

static void macro_set(struct smfi_str *session, enum stage stage, enum macro macro, const char *value)
{
    g_free(session->macros[stage][macro]);
    session->macros[stage][macro] = g_strdup(value);
}

/* As libmilter: what a later stage had is gone. */
static void macros_clear(struct smfi_str *session, enum stage from)
{
    for (enum stage stage = from; stage < STAGES; stage++)
        for (unsigned i = 0; i < G_N_ELEMENTS(macro_names); i++)
            macro_set(session, stage, (enum macro)i, NULL);
}

static void message_over(struct smfi_str *session)
{
    session->judged = session->passed = false;
    session->tags = 0;
    g_clear_pointer(&session->digest, g_free);
}

static void expect_no_lines(const char *where)
{
    if (lines->len > 0)
        fuzz_fail("a line at %s: `%s`", where, (const char *)g_ptr_array_index(lines, 0));
}

static void do_connect(struct smfi_str *session, const char *text)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(4321)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(4321)};
    struct sockaddr other = {.sa_family = AF_UNIX};
    struct sockaddr *address = &other;
    char kind = text[0] != '\0' && text[1] != '\0' ? text[1] : '-';
    bool mapped = kind == 'm';

    macros_clear(session, STAGE_CONNECT);
    macro_set(session, STAGE_CONNECT, MACRO_VERSION,
              text[0] == 's'   ? "8.17.1.9"
              : text[0] == 'p' ? "Postfix 3.7.11"
                               : NULL);
    macro_set(session, STAGE_CONNECT, MACRO_DAEMON, strlen(text) > 2 ? text + 2 : NULL);
    g_clear_pointer(&session->client, g_free);
    if (kind == '4' || kind == 'l') {
        session->client = g_strdup_printf(kind == 'l' ? "127.0.0.1" : "192.0.2.%u", 1 + (unsigned)(session - sessions));
        inet_pton(AF_INET, session->client, &four.sin_addr);
        four.sin_port = kind == 'l' ? 0 : four.sin_port;
        address = (struct sockaddr *)(void *)&four;
    } else if (kind == '6' || mapped) {
        session->client =
            g_strdup_printf(mapped ? "::ffff:10.0.0.%u" : "2001:db8::%u", 1 + (unsigned)(session - sessions));
        inet_pton(AF_INET6, session->client, &six.sin6_addr);
        if (mapped)
            memmove(session->client, session->client + 7, strlen(session->client + 7) + 1);
        address = (struct sockaddr *)(void *)&six;
    } else if (kind == '-') {
        address = NULL;
    }
    message_over(session);
    callbacks.xxfi_connect(session, (char *)"client.example", (_SOCK_ADDR *)address);
    expect_no_lines("connect");
}

/* The digest of the policy in force, which is not told otherwise. */
static char *digest_in_force(void)
{
    auto_free(policy) policy = service_policy(service);

    return g_strdup(policy_digest(policy));
}

static bool bodies_are_needed(void)
{
    auto_free(policy) policy = service_policy(service);

    return policy_asks_body(policy);
}

static void do_mail(struct smfi_str *session, const char *text)
{
    size_t length = strcspn(text, " ");
    g_autofree char *flags = g_strndup(text, length);
    g_autofree char *sender = NULL;
    g_autofree char *id = NULL;
    g_autofree char *login = NULL;
    char *arguments[2] = {NULL, NULL};
    sfsistat result;

    session->message = current = ++messages;
    sender = mark_address(text[length] == ' ' ? text + length + 1 : "");
    id = mark("");
    login = mark("login");
    macros_clear(session, STAGE_MAIL);
    macro_set(session, STAGE_MAIL, MACRO_VERSION, session->macros[STAGE_CONNECT][MACRO_VERSION]);
    macro_set(session, STAGE_MAIL, MACRO_ID, strchr(flags, 'i') != NULL ? id : NULL);
    macro_set(session, STAGE_MAIL, MACRO_LOGIN, strchr(flags, 'a') != NULL ? login : NULL);
    macro_set(session, STAGE_MAIL, MACRO_MECHANISM, strchr(flags, 't') != NULL ? "PLAIN" : NULL);
    arguments[0] = strchr(flags, 'n') != NULL ? NULL : sender;
    message_over(session);
    session->digest = digest_in_force();
    result = callbacks.xxfi_envfrom(session, arguments);
    bool older = result == SMFIS_TEMPFAIL && bodies_are_needed() && !session->bodies;
    fuzz_check(result == SMFIS_CONTINUE || result == SMFIS_ACCEPT || older, "MAIL is answered %d", (int)result);
    fuzz_check(result != SMFIS_CONTINUE || session->bodies || !bodies_are_needed(), "judged without its body");
    session->judged = result == SMFIS_CONTINUE;
    session->passed = result == SMFIS_ACCEPT;
    if (!older)
        expect_no_lines("MAIL");
    g_clear_pointer(&session->code, g_free);
}

static void do_recipient(struct smfi_str *session, const char *text)
{
    bool bracket = text[0] == '<';
    g_autofree char *recipient = g_strdup_printf("%szr%s", bracket ? "<" : "", text + bracket);
    char *arguments[2] = {recipient, NULL};

    callbacks.xxfi_envrcpt(session, arguments);
    expect_no_lines("RCPT");
}

static void do_data(struct smfi_str *session, const char *text)
{
    g_autofree char *id = g_strdup_printf("zq%ukD", session->message);

    macros_clear(session, STAGE_DATA);
    macro_set(session, STAGE_DATA, MACRO_ID, strchr(text, 'i') != NULL ? id : NULL);
    fuzz_check(callbacks.xxfi_data(session) == SMFIS_CONTINUE, "DATA is answered");
    expect_no_lines("DATA");
}

static bool shows_recipients(const char *name)
{
    return strcasecmp(name, "To") == 0 || strcasecmp(name, "Cc") == 0 || strcasecmp(name, "Bcc") == 0 ||
           g_ascii_strncasecmp(name, "Resent-", 7) == 0 || strcasecmp(name, "Apparently-To") == 0;
}

static void do_header(struct smfi_str *session, const char *text)
{
    size_t length = strcspn(text, ":");
    g_autofree char *name = g_strndup(text, length);
    bool shown = shows_recipients(name);
    GString *value = g_string_new(NULL);

    if (!shown)
        g_string_append_printf(value, "zq%uk", session->message);
    for (const char *p = text[length] == ':' ? text + length + 1 : ""; *p != '\0'; p++) {
        if (*p == '\x0b')
            g_string_append_c(value, '\n');
        else if (*p == '\x01')
            g_string_append(value, shown ? "zr" : "x");
        else
            g_string_append_c(value, *p);
    }
    session->tags += session->judged && strcasecmp(name, FILTER_TAG_FIELD) == 0;
    callbacks.xxfi_header(session, name, value->str);
    g_string_free(value, TRUE);
    expect_no_lines("a header");
}

static void do_body(struct smfi_str *session, const char *text)
{
    GString *part = g_string_new(NULL);
    const bool whole = text[0] == '*';

    do {
        for (const char *p = text + whole; *p != '\0'; p++) {
            if (*p == '\x0b')
                g_string_append(part, "\r\n");
            else if (*p == '\x01')
                g_string_append(part, "zr");
            else
                g_string_append_c(part, *p);
        }
        g_string_append(part, "\r\n");
    } while (whole && part->len < BODY_PART);
    g_string_truncate(part, MIN(part->len, BODY_PART));
    sfsistat result = callbacks.xxfi_body(session, (unsigned char *)part->str, part->len);
    fuzz_check(result == SMFIS_CONTINUE || (result == SMFIS_SKIP && part->len == BODY_PART), "a body is answered %d",
               (int)result);
    g_string_free(part, TRUE);
    expect_no_lines("a body");
}

static void do_end(struct smfi_str *session, const char *text)
{
    g_autofree char *id = NULL;
    sfsistat result;

    current = session->message;
    if (strchr(text, 'i') != NULL)
        id = g_strdup_printf("zq%ukE", session->message);
    else if (strchr(text, 'e') != NULL)
        id = g_strdup("");
    else if (strchr(text, 'h') != NULL)
        id = g_strdup_printf("zq%uk: verdict=accept \"\n<>,=\\", session->message);
    macros_clear(session, STAGE_END);
    macro_set(session, STAGE_END, MACRO_ID, id);
    session->refuse_change = strchr(text, '1') != NULL;
    session->refuse_add = strchr(text, '2') != NULL;
    session->refuse_quarantine = strchr(text, '3') != NULL;
    session->refuse_reply = strchr(text, '4') != NULL;
    session->changed = session->added = session->quarantined = session->replied = 0;
    g_clear_pointer(&session->code, g_free);
    fuzz_check(callbacks.xxfi_eoh(session) == SMFIS_NOREPLY, "the end of the header is not answered");
    result = callbacks.xxfi_eom(session);
    check_end(session, result);
    message_over(session);
}

static void do_close(struct smfi_str *session)
{
    callbacks.xxfi_close(session);
    fuzz_check(session->private == NULL, "something is left of a session");
    message_over(session);
    session->bodies = false;
    macros_clear(session, STAGE_CONNECT);
    g_clear_pointer(&session->client, g_free);
    g_clear_pointer(&session->code, g_free);
    expect_no_lines("close");
}

static void do_negotiate(struct smfi_str *session, const char *text)
{
    const unsigned long never = SMFIP_NR_MAIL | SMFIP_NOEOH | SMFIP_NR_BODY | SMFIP_NR_DATA | SMFIP_NOHDRS |
                                SMFIP_NOMAIL | SMFIP_NORCPT | SMFIP_NOCONNECT | SMFIP_HDR_LEADSPC;
    unsigned long offered_actions = fuzz_hash((const uint8_t *)text, strlen(text));
    unsigned long offered_steps = text[0] == '*' ? ~0UL >> 32 : offered_actions * 2654435761u, more[2] = {0, 0};
    unsigned long actions = 0, steps = 0;

    callbacks.xxfi_negotiate(session, offered_actions, offered_steps, more[0], more[1], &actions, &steps, &more[0],
                             &more[1]);
    fuzz_check((actions & ~offered_actions) == 0 && (steps & ~offered_steps) == 0, "asks for what is not offered");
    fuzz_check((steps & never) == 0, "steps %lx", steps & never);
    session->bodies = (steps & SMFIP_NOBODY) == 0;
    fuzz_check(session->bodies == (bodies_are_needed() || (offered_steps & SMFIP_NOBODY) == 0), "bodies: steps %lx",
               steps);
}

/* ---- policies */

static const char *const policies[] = {
    /* As most will be. */
    "version 1\ncontact \"postmaster@corp.example\"\nclass internal { domain \"corp.example\" }\n"
    "class freemail { domain \"freemail.example\" individuals }\n"
    "rule much { when parties(external) >= 4 reject \"{visible} 100% of {parties}, {sender}, ask {contact}\" }\n"
    "rule wide { when parties(external) >= 2 or malformed quarantine \"wide Cc of {queue-id} by {user}\" }\n"
    "rule one { when visible(external) >= 1 tag \"one\" }\ndefault accept\n",
    /* Everything is judged, by all that there is. */
    "version 1\nclass internal { domain \"corp.example\" match /.*\\.corp\\.example/ }\n"
    "outbound when local or not local\n"
    "rule old until 2020-01-01 { when local reject \"old\" }\n"
    "rule trial { monitor when visible(all) >= 1 reject \"{visible all}\" }\n"
    "rule slow { when header(\"X-Slow\") =~ /[a-z0-9]*(a+)+b/ reject \"slow\" }\n"
    "rule dim { monitor when header(\"X-Dim\") =~ /[a-z0-9]*(a+)+b/ reject \"dim\" }\n"
    "rule listed { when header(\"List-Id\") or user =~ /.*x/ tempfail \"\xc3\xbc\xe2\x80\xae {user} {sender} %s %% "
    "{{\" }\n"
    "rule blind { when hidden(all) >= 2 quarantine \"\xe6\x97\xa5\xe6\x9c\xac {hidden} {sender}\" }\n"
    "rule from-us { when from in internal and sender in internal accept }\n"
    "default tag \"t\"\n",
    /* Nobody passes. */
    "version 1\nclass internal { domain \"corp.example\" }\nclass tenants { domain \"t.example\" separate }\n"
    "outbound when sender = \"\" or client in \"0.0.0.0/0\", \"2001:db8::/32\" or listener = \"MSA\" or user in "
    "internal\n"
    "default reject \"{rule} {sender} {user} {queue-id} {visible} {parties} {domains} {hidden} "
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789%%%%%%%%%%%%%%"
    "%%\"\n",
    /* Nothing is judged. */
    "version 1\nclass internal { domain \"corp.example\" }\noutbound when local and not local\ndefault accept\n",
    /* Bodies are needed. */
    "version 1\nclass internal { domain \"corp.example\" }\noutbound when local or not local\n"
    "rule shown { when visible(external) inside text, calendar, forwarded >= 2 quarantine \"{inside} in the body\" }\n"
    "rule unread { when opaque(limits, broken) tag \"unread\" }\ndefault accept\n",
};

static void policy_write(unsigned which)
{
    g_free(fuzz_file("policy", policies[which], strlen(policies[which])));
}

static void do_settings(const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case 'a':
            config->on_error = DISPOSITION_ACCEPT;
            break;
        case 't':
            config->on_error = DISPOSITION_TEMPFAIL;
            break;
        case 'q':
            config->on_fault = DISPOSITION_QUARANTINE;
            break;
        case 'f':
            config->on_fault = DISPOSITION_TEMPFAIL;
            break;
        case 'r':
            config->on_fault = DISPOSITION_REJECT;
            break;
        case 'y':
        case 'n':
            config->accepted = *text == 'y';
            break;
        }
    }
}

static void do_policy(const char *text, unsigned *reloads)
{
    if (text[0] < '0' || text[0] >= '0' + (char)G_N_ELEMENTS(policies) || (*reloads)++ >= RELOADS_LIMIT)
        return;
    policy_write((unsigned)(text[0] - '0'));
    do_settings("tqy"); /* what the file says: so the configuration stays the same one */
    service_reload(service);
    fuzz_check(service_config(service) == config, "another configuration");
    g_ptr_array_set_size(lines, 0);
}

static void start(void)
{
    g_autofree char *text = g_strdup_printf("[milter]\npolicy = %s/policy\nsocket = inet:1@localhost\n"
                                            "[ledger]\npath = %s/ledger.db\n"
                                            "[metrics]\npath = metrics.prom\n",
                                            fuzz_folder(), fuzz_folder());
    auto_free(diags) diags = diags_new();

    lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *path = fuzz_file("rcptguard.conf", text, strlen(text)); /* a reload reads it */
    config = config_load(path, diags);
    fuzz_check_diags(diags);
    fuzz_check(config != NULL, "no configuration");
    policy_write(0);
    service = service_new(config, 100000, diags);
    fuzz_check(service != NULL && diags_count(diags) == 0, "no policy");
    fuzz_check(filter_open(service) == 0, "the filter does not open");
    ledger_start();
}

static void play(struct smfi_str **session, const char *line, unsigned *reloads)
{
    const char *rest = line + (line[0] != '\0');

    current = (*session)->message;
    switch (line[0]) {
    case '0':
    case '1':
    case '2':
        *session = &sessions[line[0] - '0'];
        break;
    case 'c':
        do_connect(*session, rest);
        break;
    case 'M':
        do_mail(*session, rest);
        break;
    case 'R':
        do_recipient(*session, rest);
        break;
    case 'D':
        do_data(*session, rest);
        break;
    case 'H':
        do_header(*session, rest);
        break;
    case 'B':
        do_body(*session, rest);
        break;
    case 'E':
        do_end(*session, rest);
        break;
    case 'A':
        callbacks.xxfi_abort(*session);
        message_over(*session);
        expect_no_lines("abort");
        break;
    case 'X':
        do_close(*session);
        break;
    case 'N':
        do_negotiate(*session, rest);
        break;
    case 'P':
        do_policy(rest, reloads);
        break;
    case 'Y':
        do_settings(rest);
        break;
    }
    g_ptr_array_set_size(lines, 0);
}

/* The input holds no marks of its own. */
static void remove_marks(char *text)
{
    for (char *p = text; *p != '\0'; p++)
        if (*p == 'z' && (p[1] == 'q' || p[1] == 'r'))
            *p = 'y';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smfi_str *session = sessions;
    unsigned reloads = 0, count = 0;

    if (service == NULL)
        start();
    messages = current = 0;
    do_settings("tqy");
    while (size > 0 && count++ < LINES_LIMIT) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end != NULL ? (size_t)(end - data) : size;
        g_autofree char *line = g_strndup((const char *)data, length);
        remove_marks(line);
        play(&session, line, &reloads);
        length += end != NULL;
        data += length;
        size -= length;
    }
    for (unsigned i = 0; i < SESSIONS; i++) {
        do_close(&sessions[i]);
        sessions[i].message = 0;
    }
    ledger_empty();
    if (reloads > 0) {
        reloads = 0;
        do_policy("0", &reloads);
    }
    return 0;
}

/* ---- in place of libmilter */

int smfi_register(struct smfiDesc description)
{
    callbacks = description;
    return MI_SUCCESS;
}

int smfi_setconn(char *name)
{
    return name[0] != '\0' ? MI_SUCCESS : MI_FAILURE;
}

int smfi_settimeout(int seconds)
{
    return seconds > 0 ? MI_SUCCESS : MI_FAILURE;
}

int smfi_setbacklog(int length)
{
    return length > 0 ? MI_SUCCESS : MI_FAILURE;
}

size_t smfi_setmaxdatasize(size_t size)
{
    return size;
}

int smfi_opensocket(bool remove)
{
    (void)remove;
    return MI_SUCCESS;
}

int smfi_main(void)
{
    return MI_SUCCESS;
}

int smfi_version(unsigned *major, unsigned *minor, unsigned *patch)
{
    *major = *minor = *patch = 1;
    return MI_SUCCESS;
}

int smfi_setsymlist(SMFICTX *context, int stage, char *names)
{
    (void)context;
    return stage >= 0 && names[0] != '\0' ? MI_SUCCESS : MI_FAILURE;
}

int smfi_setpriv(SMFICTX *context, void *data)
{
    context->private = data;
    return MI_SUCCESS;
}

void *smfi_getpriv(SMFICTX *context)
{
    return context->private;
}

/* From the last stage backwards. */
char *smfi_getsymval(SMFICTX *context, char *name)
{
    for (enum stage stage = STAGES; stage-- > STAGE_CONNECT;)
        for (unsigned i = 0; i < G_N_ELEMENTS(macro_names); i++)
            if (strcmp(macro_names[i], name) == 0 && context->macros[stage][i] != NULL)
                return context->macros[stage][i];
    return NULL;
}

/* What libmilter refuses, with the checks of smfi_setreply(3). */
int smfi_setreply(SMFICTX *context, char *code, char *status, char *text)
{
    check_marks(text);
    fuzz_check(strlen(code) == 3 && (code[0] == '4' || code[0] == '5') && status[0] == code[0], "reply %s %s", code,
               status);
    fuzz_check(strlen(text) <= 980 && strpbrk(text, "\r\n") == NULL, "libmilter refuses the reply `%s`", text);
    for (const char *p = text; *p != '\0'; p++) {
        fuzz_check(*p >= ' ' && *p <= '~', "byte %02x in a reply", (unsigned char)*p);
        if (*p == '%')
            fuzz_check(*++p == '%', "half a %% in the reply `%s`", text);
    }
    if (context->refuse_reply)
        return MI_FAILURE;
    context->replied++;
    g_free(context->code);
    context->code = g_strdup(code);
    return MI_SUCCESS;
}

int smfi_chgheader(SMFICTX *context, char *name, int index, char *value)
{
    fuzz_check(strcmp(name, FILTER_TAG_FIELD) == 0 && value == NULL, "changes %s", name);
    if (context->refuse_change)
        return MI_FAILURE;
    context->changed++;
    fuzz_check((unsigned)index == context->tags + 1 - context->changed, "removes tag %d of %u", index, context->tags);
    return MI_SUCCESS;
}

int smfi_addheader(SMFICTX *context, char *name, char *value)
{
    check_marks(value);
    fuzz_check(strcmp(name, FILTER_TAG_FIELD) == 0 && value[0] != '\0', "adds %s: %s", name, value);
    if (context->refuse_add)
        return MI_FAILURE;
    context->added++;
    return MI_SUCCESS;
}

/* The configuration names no address to answer to. */
int smfi_delrcpt(SMFICTX *context, char *recipient)
{
    (void)context;
    fuzz_check(false, "removes the recipient %s", recipient);
    return MI_FAILURE;
}

int smfi_quarantine(SMFICTX *context, char *reason)
{
    check_marks(reason);
    fuzz_check(reason[0] != '\0' && strlen(reason) <= SMTP_REASON_LIMIT, "the reason `%s`", reason);
    for (const char *p = reason; *p != '\0'; p++)
        fuzz_check(*p >= ' ' && *p <= '~', "byte %02x in a reason", (unsigned char)*p);
    check_row();
    if (context->refuse_quarantine)
        return MI_FAILURE;
    context->quarantined++;
    return MI_SUCCESS;
}
