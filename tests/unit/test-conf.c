/* test-conf - what rcptguard.conf may say, and what is said of it when it is wrong */

#include <config.h>

#include "milter/common/conf_instance.h"
#include "milter/common/conf_keys.h"
#include "milter/common/conf_load.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

static struct config *parse(const char *text, struct diags *diags)
{
    return config_parse("/etc/x/rcptguard.conf", text, strlen(text), diags);
}

/* A sound text. */
static struct config *sound(const char *text)
{
    auto_free(diags) diags = diags_new();
    struct config *config = parse(text, diags);
    for (unsigned i = 0; i < diags_count(diags); i++) {
        g_autofree char *line = diag_format_line(diags_get(diags, i));
        g_test_message("%s", line);
    }
    g_assert_nonnull(config);
    g_assert_cmpuint(diags_count(diags), ==, 0);
    return config;
}

/* A text with errors: exactly these, as `line:column: message`, in this order. */
static void wrong(const char *text, const char *const *want, size_t count)
{
    auto_free(diags) diags = diags_new();
    auto_free(config) config = parse(text, diags);
    g_assert_null(config);
    for (unsigned i = 0; i < diags_count(diags); i++) {
        const struct diag *diag = diags_get(diags, i);
        g_autofree char *got = g_strdup_printf("%u:%u: %s", diag->line, diag->column, diag->message);
        g_test_message("%s", got);
        g_assert_cmpuint(i, <, count);
        g_assert_cmpstr(got, ==, want[i]);
        g_assert_cmpint(diag->level, ==, DIAG_ERROR);
        g_assert_nonnull(diag->source);
    }
    g_assert_cmpuint(diags_count(diags), ==, count);
}
#define WRONG(text, ...)                                                                                               \
    wrong(text, (const char *const[]){__VA_ARGS__}, G_N_ELEMENTS(((const char *const[]){__VA_ARGS__})))

static void test_defaults(void)
{
    auto_free(config) config = sound("");
    g_assert_cmpint(config->socket->kind, ==, ENDPOINT_UNIX);
    /* Which of the two it is depends on the host: tests/mta/setup.py. */
    g_assert_true(g_str_equal(config->socket->name, CONFIG_DEFAULT_SOCKET) ||
                  g_str_equal(config->socket->name, CONFIG_SENDMAIL_SOCKET));
    g_assert_cmpstr(config->user, ==, "rcptguard");
    g_assert_false(config->user_given);
    g_assert_cmpstr(config->policy, ==, SYSCONFDIR "/rcptguard/policy");
    g_assert_cmpint(config->on_error, ==, DISPOSITION_TEMPFAIL);
    g_assert_cmpint(config->on_fault, ==, DISPOSITION_QUARANTINE);
    g_assert_cmpuint(config->timeout, ==, 7210);
    g_assert_cmpuint(config->memory, ==, 256);
    g_assert_cmpuint(config->body, ==, 10);
    g_assert_cmpint(config->facility, ==, LOG_MAIL);
    g_assert_false(config->log_json);
    g_assert_true(config->accepted);
    g_assert_cmpuint(config->summary, ==, 3600);
    g_assert_cmpstr(config->ledger, ==, LOCALSTATEDIR "/lib/rcptguard/ledger.db");
    g_assert_null(config->metrics);
    g_assert_cmpuint(config->keep, ==, 90 * 86400);
    g_assert_true(config->subject);
    const struct review *review = &config->review;
    g_assert_cmpuint(review->approvals, ==, 1);
    g_assert_cmpint(review->mta, ==, MTA_NONE);
    g_assert_null(review->identities);
    g_assert_null(review->notice);
    g_assert_null(review->digest_to);
    g_assert_null(config_mta(config, MTA_POSTFIX));
    g_assert_null(config_mta(config, MTA_SENDMAIL));
    g_assert_null(review->places[MTA_SENDMAIL].command);
    for (unsigned i = 0; i < REVIEW_ACTIONS; i++) {
        g_assert_cmpuint(g_strv_length(review->groups[i]), ==, 1);
        g_assert_cmpstr(review->groups[i][0], ==, "rcptguard-review");
    }

    auto_free(config) comments = sound("# nothing\n\n   \n[milter]\n[log]\n");
    g_assert_cmpuint(comments->timeout, ==, 7210);
}

static void test_every_key(void)
{
    auto_free(config) config = sound("# the mail admin's\n"
                                     "[milter]\r\n"
                                     "socket = inet:8891@127.0.0.1\n"
                                     "user=mail-guard\n"
                                     "policy = /srv/policy\n"
                                     "  on-error   =   accept  \n"
                                     "on-fault = reject\n"
                                     "timeout = 15m\n"
                                     "[log]\n"
                                     "facility = local3\n"
                                     "format = json\n"
                                     "accepted = no\n"
                                     "summary = 90\n"
                                     "[ledger]\n"
                                     "path = /srv/ledger.db\n"
                                     "keep = 30d\n"
                                     "subject = no\n"
                                     "[metrics]\n"
                                     "path = /srv/x.prom\ninstance = out-1\n"
                                     "[review]\n"
                                     "approvals = 2\n"
                                     "identities = /srv/identities\n"
                                     "list = helpdesk, security\n"
                                     "show = a,b ,c\n"
                                     "release = security\n"
                                     "return = none\n"
                                     "delete = wheel\n"
                                     "notice = notice.txt\n"
                                     "digest-to = security@corp.example, root\n"
                                     "mta = sendmail\n"
                                     "postfix-config = /etc/postfix-out\n"
                                     "sendmail-config = /etc/mail/out.cf\nsendmail-command = /opt/sendmail\n");
    g_assert_cmpstr(config->socket->name, ==, "inet:8891@[127.0.0.1]");
    g_assert_cmpstr(config->user, ==, "mail-guard");
    g_assert_true(config->user_given);
    g_assert_cmpstr(config->policy, ==, "/srv/policy");
    g_assert_cmpint(config->on_error, ==, DISPOSITION_ACCEPT);
    g_assert_cmpint(config->on_fault, ==, DISPOSITION_REJECT);
    g_assert_cmpuint(config->timeout, ==, 900);
    g_assert_cmpint(config->facility, ==, LOG_LOCAL3);
    g_assert_true(config->log_json);
    g_assert_false(config->accepted);
    g_assert_cmpuint(config->summary, ==, 90);
    g_assert_cmpstr(config->ledger, ==, "/srv/ledger.db");
    g_assert_cmpuint(config->keep, ==, 30 * 86400);
    g_assert_false(config->subject);
    g_assert_cmpstr(config->metrics, ==, "/srv/x.prom");
    g_assert_cmpstr(config->instance, ==, "out-1");

    const struct review *review = &config->review;
    g_assert_cmpuint(review->approvals, ==, 2);
    g_assert_cmpstr(review->identities, ==, "/srv/identities");
    static const char *const groups[REVIEW_ACTIONS] = {"helpdesk security", "a b c", "security", "", "wheel"};
    for (unsigned i = 0; i < REVIEW_ACTIONS; i++) {
        g_autofree char *got = g_strjoinv(" ", review->groups[i]);
        g_assert_cmpstr(got, ==, groups[i]);
    }
    g_assert_cmpstr(review->notice, ==, "/etc/x/notice.txt");
    g_autofree char *addresses = g_strjoinv(" ", review->digest_to);
    g_assert_cmpstr(addresses, ==, "security@corp.example root");
    g_assert_cmpint(review->mta, ==, MTA_SENDMAIL);
    g_assert_cmpstr(config_mta(config, MTA_POSTFIX), ==, "/etc/postfix-out");
    g_assert_cmpstr(config_mta(config, MTA_SENDMAIL), ==, "/etc/mail/out.cf");
    g_assert_cmpstr(review->places[MTA_SENDMAIL].command, ==, "/opt/sendmail");
}

#ifdef HAVE_LIBPQ
static const bool pg_there = true;
#define FLEET "[fleet]\ndatabase = host=db\nnode = relay7\n"
#define STATE "database = fleet\non-away = local\n"
#else
static const bool pg_there = false;
#define FLEET "[fleet]\nnode = relay7\n"
#define STATE ""
#endif

/* Whether a build has a use for the key. */
static bool is_of_build(const struct key *key)
{
    return pg_there || (strcmp(key->name, "database") != 0 && strcmp(key->name, "on-away") != 0);
}

/* The values of each key as texts: that of another configuration is taken over, and no other. */
static void test_copies(void)
{
    auto_free(config) others = sound(
        "[milter]\nsocket = inet:8891@127.0.0.1\nuser=mail-guard\npolicy = /srv/policy\n"
        "on-error = accept\non-fault = reject\ntimeout = 15m\nmemory = 1G\nbody = 25M\nread-ahead = "
        "no\n[log]\nfacility = local3\n"
        "format = json\naccepted = no\nsummary = 90\n[ledger]\npath = /srv/ledger.db\n"
        "keep = 30d\nsubject = no\n[state]\npath = /srv/state.db\nkey = /srv/state.key\n" STATE FLEET
        "[metrics]\npath = /srv/x.prom\ninstance = out\n[review]\napprovals = 2\nidentities = i\nlist = a\nshow = b, "
        "c\nrelease = d\n"
        "return = none\ndelete = e\nnotice = n\ndecision-key = /srv/decision.key\nexpire = 3d delete\nanswers = "
        "rcptguard@corp.example\nanswers-delimiter = -\n"
        "sender-release = 30m\nreviewers-by-mail = yes\ndigest-to = f@g\nmta = sendmail\n"
        "postfix-config = /h\nsendmail-config = /j\nsendmail-command = /k\n");
    const struct key *key;
    for (unsigned i = 0; (key = key_at(i)) != NULL; i++) {
        auto_free(config) config = config_new("/etc/x/c");
        const struct key *each;
        key_copy(key, config, others);
        for (unsigned j = 0; (each = key_at(j)) != NULL; j++) {
            g_autofree char *here = key_text(each, config);
            g_autofree char *there = key_text(each, others);
            g_assert_true(there != NULL || !is_of_build(each));
            if (is_of_build(each))
                g_assert_cmpint(g_strcmp0(here, there) == 0, ==, i == j);
        }
    }
}

static void test_relative_paths(void)
{
    auto_free(config) config = sound("[milter]\npolicy = team/policy\n[ledger]\npath = l.db\n"
                                     "[metrics]\npath = m/x.prom\n"
                                     "[review]\nidentities = who\npostfix-config = p\n");
    g_assert_cmpstr(config->policy, ==, "/etc/x/team/policy");
    g_assert_cmpstr(config->ledger, ==, "/etc/x/l.db");
    g_assert_cmpstr(config->metrics, ==, "/etc/x/m/x.prom");
    g_assert_cmpstr(config->review.identities, ==, "/etc/x/who");
    g_assert_cmpstr(config_mta(config, MTA_POSTFIX), ==, "/etc/x/p");
}

/* GLib's escapes are undone by GLib, and a hash without a blank before it is part of a value. */
static void test_values_as_glib_reads_them(void)
{
    auto_free(config) config = sound("[milter]\npolicy = /srv/a\\sb#c\n");
    g_assert_cmpstr(config->policy, ==, "/srv/a b#c");
}

static void test_unknown_words(void)
{
    WRONG("[miter]\nsocket = nonsense that belongs to nobody\n[log]\nsumary = 1h\nsocket = /x\nzzzzzzzzz = 1\n",
          "1:2: there is no group `miter`; did you mean `milter`?",
          "4:1: there is no key `sumary` in [log]; did you mean `summary`?",
          "5:1: the key `socket` belongs to the group [milter]",
          "6:1: there is no key `zzzzzzzzz` in [log]; expected one of facility, format, accepted, summary");
    WRONG("[elephant]\npath = /x\n",
          "1:2: there is no group `elephant`; expected one of milter, log, ledger, state, fleet, metrics, review");
    WRONG("[log]\nkeep = 1d\n", "2:1: the key `keep` belongs to the group [ledger]");
}

/* Without a secret in the message, and without the line. */
static void secret(const char *text, const char *want)
{
    auto_free(diags) diags = diags_new();
    auto_free(config) config = parse(text, diags);
    g_assert_null(config);
    g_assert_cmpuint(diags_count(diags), ==, 1);
    g_autofree char *line = diag_format_line(diags_get(diags, 0)), *shown = diag_format(diags_get(diags, 0));
    g_assert_nonnull(strstr(line, want));
    g_assert_null(strstr(line, "s3cret"));
    g_assert_null(strstr(shown, "s3cret"));
}

#define DATABASE "[fleet]\ndatabase = "

static void test_secrets(void)
{
    secret("[fleet]\ndatabse = host=db password=s3cret\n", "there is no key `databse`");
    secret("[fleet]\ndb = postgresql://a:s3cret@b\n", "there is no key `db`");
    secret("[state]\ndatabase = s3cret\n", "expected `fleet`, or a connection string");
    secret(DATABASE "host=db password=s3cret # mine\n", "write a comment on a separate line");
    secret(DATABASE "host=db password=s3cret\\x\n", "escapes");
#ifdef HAVE_LIBPQ
    secret(DATABASE "host=db password=s3cret\n", ":2:12: error: database: a secret does not belong here");
    secret(DATABASE "host=db  password = 's3cret and more' user=x\n", "leave out `password`");
    secret(DATABASE "host='a password=x' sslpassword=s3cret\n", "leave out `sslpassword`");
    secret(DATABASE "host=db s3cret\n", "expected settings of libpq");
    secret(DATABASE "host=db password s3cret\n", "expected settings of libpq");
    secret(DATABASE "s3cret\n", "expected settings of libpq");
    secret(DATABASE "host='db s3cret\n", "the quote of the value of `host` is not closed");
    secret(DATABASE "host='db's3cret\n", "the quote of the value of `host` is not closed");
    secret(DATABASE "postgresql://relay1:s3cret@db/rcptguard\n", "leave out `user:password@`");
    secret(DATABASE "postgres://relay1:s3cret@[::1]:5433,db2/rcptguard\n", "leave out `user:password@`");
    secret(DATABASE "postgresql://relay1:s3cret?x=y@db/rcptguard\n", "leave out `user:password@`");
    secret(DATABASE "postgresql://db/rcptguard?user=x&pass%77ord=s3cret\n", "leave out `password`");
    secret(DATABASE "postgresql://db/rcptguard?s3cret\n", "form name=value");
    secret(DATABASE "postgresql://db/rcptguard?user=x s3cret\n", "no blanks");
#endif
}

static void test_fleet(void)
{
    auto_free(config) named = sound("[fleet]\nnode = Relay-1.a_b\n");
    g_autofree char *name = config_fleet_node(named);
    g_assert_cmpstr(name, ==, "Relay-1.a_b");
    auto_free(config) unnamed = sound("");
    g_autofree char *host = config_fleet_node(unnamed), *first = g_strndup(g_get_host_name(), strlen(host));
    g_assert_null(unnamed->fleet_database);
    g_assert_null(strchr(host, '.'));
    g_assert_cmpstr(host, ==, first);
    WRONG("[fleet]\nnode = a:b\n",
          "2:8: node: expected a name of at most 63 letters, digits, dots, hyphens and underscores that begins with a "
          "letter or a digit, not `a:b`");
    WRONG("[fleet]\nnode = -a\n",
          "2:8: node: expected a name of at most 63 letters, digits, dots, hyphens and underscores that begins with a "
          "letter or a digit, not `-a`");
#ifdef HAVE_LIBPQ
    static const char *const fine[] = {
        "host=db dbname=rcptguard",
        "host = 'a b' user='it\\\\'s' passfile=/etc/rcptguard/pgpass",
        "host=a,b port=1,2 target_session_attrs=any",
        "service=fleet",
        "postgresql://relay1@db:5432/rcptguard?sslmode=verify-full&passfile=/x",
        "postgres://%2Frun%2Fpostgresql/rcptguard",
        "postgresql://",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(fine); i++) {
        g_autofree char *text = g_strconcat(DATABASE, fine[i], "\n", NULL);
        auto_free(config) config = sound(text);
        g_assert_nonnull(config->fleet_database);
    }
#else
    secret(DATABASE "host=s3cret\n", ":2:12: error: database: this rcptguard was built without PostgreSQL (libpq)");
#endif
}

static void test_duplicates(void)
{
    WRONG("[milter]\nuser = a\n[log]\n[milter]\nuser = b\n", "4:2: the group [milter] is in line 1 already",
          "5:1: the key `user` is in line 2 already");
}

static void test_shape(void)
{
    WRONG("user = a\n[milter\n[log] x\ngarbage\n= 5\n[milter]\nuser =\n",
          "1:1: this key belongs to no group; expected a group such as `[milter]` before it",
          "2:1: expected a group's name in brackets and nothing after it",
          "3:1: expected a group's name in brackets and nothing after it",
          "4:1: expected `[group]`, `key = value`, or a comment that begins with `#`",
          "5:1: expected `[group]`, `key = value`, or a comment that begins with `#`",
          "7:6: the key `user` has no value; leave the line out for its default");
}

static void test_comment_behind_value(void)
{
    WRONG("[milter]\nuser = a   # the user\non-error = accept ; why not\npolicy = # none\n",
          "2:12: write a comment on a separate line; here it would be part of the value",
          "3:19: write a comment on a separate line; here it would be part of the value",
          "4:10: the key `policy` has no value; leave the line out for its default");
}

static void test_bad_values(void)
{
    WRONG(
        "[milter]\non-error = acept\non-fault = accept\ntimeout = 0\nuser = a b\n[log]\nfacility = email\n"
        "accepted = true\nsummary = 1w\n",
        "2:12: on-error: expected tempfail or accept, not `acept`; did you mean `accept`?",
        "3:12: on-fault: expected quarantine, tempfail or reject, not `accept`",
        "4:11: timeout: expected a time from 1s to 7d, not `0`", "5:8: user: expected the name of a user, not `a b`",
        "7:12: facility: expected mail, daemon, auth, user, local0, local1, local2, local3, local4, local5, local6 or "
        "local7, not `email`; did you mean `mail`?",
        "8:12: accepted: expected yes or no, not `true`; did you mean `yes`?",
        "9:11: summary: expected a time such as 90s, 15m or 1h, not `1w`");
    WRONG("[log]\naccepted = on\n[ledger]\nsubject = Off\n[milter]\non-fault = hold\non-error = off\n",
          "2:12: accepted: expected yes or no, not `on`; did you mean `yes`?",
          "4:11: subject: expected yes or no, not `Off`; did you mean `no`?",
          "6:12: on-fault: expected quarantine, tempfail or reject, not `hold`; did you mean `quarantine`?",
          "7:12: on-error: expected tempfail or accept, not `off`");
    WRONG(
        "[review]\nanswers = a b@x\nanswers-delimiter = ++\nsender-release = 10s\nreviewers-by-mail = on\n",
        "2:11: answers: expected an address of letters, digits, dots, hyphens and underscores, with at most 30 of them "
        "before its @, not `a b@x`",
        "3:21: answers-delimiter: expected one of + - = _, as the MTA has it, not `++`",
        "4:18: sender-release: expected a time from 60s to 7d, not `10s`",
        "5:21: reviewers-by-mail: expected yes or no, not `on`; did you mean `yes`?");
    WRONG("[state]\ndatabase = fleet\n",
          "2:12: database: `fleet` is the database that [fleet] names, and [fleet] has no `database`");
    WRONG("[state]\non-away = local\n", "2:11: on-away: [state] has no `database` that could be away");
    WRONG("[state]\ndatabase = fleet\non-away = wait\n", "3:11: on-away: expected on-error or local, not `wait`",
          "2:12: database: `fleet` is the database that [fleet] names, and [fleet] has no `database`");
    WRONG("[milter]\nmemory = 8M\n", "2:10: memory: expected a size from 16M to 64G, not `8M`");
    WRONG("[milter]\nbody = 2G\n", "2:8: body: expected a size from 1M to 1G, not `2G`");
    WRONG("[milter]\nbody = 0M\n", "2:8: body: expected a size such as 256M or 1G, not `0M`");
    WRONG("[milter]\nmemory = 65G\n", "2:10: memory: expected a size from 16M to 64G, not `65G`");
    WRONG("[milter]\nmemory = 99999999999999999999G\n",
          "2:10: memory: expected a size from 16M to 64G, not `99999999999999999999G`");
    WRONG("[milter]\nmemory = 256\n", "2:10: memory: expected a size such as 256M or 1G, not `256`");
    WRONG("[milter]\nmemory = M\n", "2:10: memory: expected a size such as 256M or 1G, not `M`");
    WRONG("[milter]\nmemory = -1M\n", "2:10: memory: expected a size such as 256M or 1G, not `-1M`");
    WRONG("[ledger]\nkeep = 12h\nsubject = maybe\n", "2:8: keep: expected a time from 1d to 3650d, not `12h`",
          "3:11: subject: expected yes or no, not `maybe`");
    WRONG("[metrics]\npath = x.txt\n",
          "2:8: path: expected the path of a file whose name ends in .prom, not `x.txt`: what "
          "reads metrics out of files looks at no others");
    WRONG("[metrics]\ninstance = a b\n",
          "2:12: instance: expected a name of at most 64 letters, digits, dots, hyphens and "
          "underscores, not `a b`");
    WRONG("[ledger]\nkeep = 4000d\n", "2:8: keep: expected a time from 1d to 3650d, not `4000d`");
    WRONG("[review]\napprovals = 3\nlist = a,,b\nshow = a b\nrelease = -x\ndigest-to = a@x, <b@x>\nmta = exim\n",
          "2:13: approvals: expected 1 or 2, not `3`",
          "3:8: list: expected names of groups with commas between them, or none; `` is no name",
          "4:8: show: expected names of groups with commas between them, or none; `a b` is no name",
          "5:11: release: expected names of groups with commas between them, or none; `-x` is no name",
          "6:13: digest-to: expected addresses with commas between them; `<b@x>` is none",
          "7:7: mta: expected auto, postfix or sendmail, not `exim`");
    WRONG("[milter]\npolicy = /a\\nb\n", "2:10: policy: a value holds no control characters");
    WRONG("[milter]\npolicy = /a\\qb\n", "2:10: policy: the escapes of a value are \\s, \\n, \\t, \\r and \\\\");
}

static void test_bad_sockets(void)
{
    WRONG(
        "[milter]\nsocket = unix:rcptguard/rcptguard.sock\n",
        "2:10: socket: the path of a socket begins with a slash; Postfix alone counts `rcptguard/rcptguard.sock` from "
        "its queue directory");
    WRONG("[milter]\nsocket = inet:127.0.0.1:8891\n",
          "2:10: socket: expected inet:port@host; Postfix's main.cf has the two the other way round");
    WRONG("[milter]\nsocket = inet:99999@localhost\n", "2:10: socket: a port is a number from 1 to 65535, not `99999`");
    WRONG("[milter]\nsocket = inet:1@::1\n",
          "2:10: socket: `::1` is no host; an IPv6 address needs inet6:port@address");
    WRONG("[milter]\nsocket = fd:x\n", "2:10: socket: expected the number of a descriptor, not `x`");
    WRONG("[milter]\nsocket = tcp:1@x\n", "2:10: socket: expected unix:/path, inet:port@host, inet6:port@host or fd:N");
}

/* The longest path is bound, and one byte more is refused with the limit's name. */
static void test_socket_path_limit(void)
{
    g_autofree char *filler = g_strnfill(endpoint_path_limit() - 1, 'a');
    g_autofree char *fits = g_strdup_printf("[milter]\nsocket = unix:/%s\n", filler);
    auto_free(config) config = sound(fits);
    g_assert_cmpuint(strlen(config->socket->path), ==, endpoint_path_limit());

    g_autofree char *over = g_strdup_printf("[milter]\nsocket = unix:/%sa\n", filler);
    g_autofree char *want = g_strdup_printf("2:10: socket: the path of a socket has at most %u bytes, this one has %u",
                                            endpoint_path_limit(), endpoint_path_limit() + 1);
    WRONG(over, want);
}

static void test_sockets(void)
{
    static const struct {
        const char *text;
        enum endpoint_kind kind;
        const char *name;
    } cases[] = {
        {"/run/a", ENDPOINT_UNIX, "unix:/run/a"},
        {"local:/run/a", ENDPOINT_UNIX, "unix:/run/a"},
        {"inet:1@mail.example", ENDPOINT_INET, "inet:1@mail.example"},
        {"inet:65535@[127.0.0.1]", ENDPOINT_INET, "inet:65535@[127.0.0.1]"},
        {"inet6:8891@::1", ENDPOINT_INET6, "inet6:8891@[::1]"},
        {"inet6:8891@[::1]", ENDPOINT_INET6, "inet6:8891@[::1]"},
        {"fd:3", ENDPOINT_FD, "fd:3"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *error = NULL;
        auto_free(endpoint) endpoint = endpoint_parse(cases[i].text, &error);
        g_assert_nonnull(endpoint);
        g_assert_null(error);
        g_assert_cmpint(endpoint->kind, ==, cases[i].kind);
        g_assert_cmpstr(endpoint->name, ==, cases[i].name);
    }
}

/* A file that changed after it was read is noticed; one that cannot be read is an error that names it. */
static void test_file(void)
{
    g_autofree char *directory = g_dir_make_tmp("test-config-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "c", NULL);
    auto_free(diags) diags = diags_new();

    auto_free(config) missing = config_load(path, diags);
    g_assert_null(missing);
    g_assert_cmpuint(diags_errors(diags), ==, 1);
    g_assert_cmpstr(diags_get(diags, 0)->file, ==, path);

    auto_free(config) folder = config_load(directory, diags);
    g_assert_null(folder);
    g_assert_cmpuint(diags_errors(diags), ==, 2);

    g_assert_true(g_file_set_contents(path, "[log]\naccepted = no\n", -1, NULL));
    auto_free(config) config = config_load(path, diags);
    g_assert_nonnull(config);
    g_assert_false(config->accepted);
    g_unlink(path);
    g_rmdir(directory);
}

/* What an instance has by default no other one has. */
static void test_instances(void)
{
    auto_free(config) none = config_new(CONFIG_DEFAULT_PATH);
    auto_free(config) out = config_new(INSTANCE_DIRECTORY "/postfix-out.conf");
    auto_free(config) in = config_new(INSTANCE_DIRECTORY "/x/../postfix-in.conf");
    struct config *all[] = {none, out, in};
    g_assert_null(none->name);
    g_assert_cmpstr(out->name, ==, "postfix-out");
    g_assert_cmpstr(in->name, ==, "postfix-in");
    g_assert_cmpstr(out->ledger, ==, LOCALSTATEDIR "/lib/rcptguard-postfix-out/ledger.db");
    g_assert_cmpstr(out->policy, ==, INSTANCE_DIRECTORY "/postfix-out.policy");
    g_assert_cmpstr(out->instance, ==, "postfix-out");
    g_assert_cmpstr(config_mta(out, MTA_POSTFIX), ==, "/etc/postfix-out");
    g_assert_cmpstr(config_mta(out, MTA_SENDMAIL), ==, "/etc/mail/postfix-out.cf");
    g_assert_true(strstr(out->socket->name, "postfix-out/rcptguard") != NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++) {
        for (unsigned j = 0; j < i; j++) {
            g_autofree char *state = config_state(all[i]), *other_state = config_state(all[j]);
            g_autofree char *key = config_decision_key(all[i]), *other_key = config_decision_key(all[j]);
            g_assert_cmpstr(all[i]->socket->name, !=, all[j]->socket->name);
            g_assert_cmpstr(all[i]->ledger, !=, all[j]->ledger);
            g_assert_cmpstr(all[i]->policy, !=, all[j]->policy);
            g_assert_cmpstr(state, !=, other_state);
            g_assert_cmpstr(key, !=, other_key);
        }
    }
    static const char *const without[] = {"/etc/x/postfix-out.conf", INSTANCE_DIRECTORY "/a/b.conf",
                                          INSTANCE_DIRECTORY "/postfix-out.cf", INSTANCE_DIRECTORY "/.conf"};
    for (unsigned i = 0; i < G_N_ELEMENTS(without); i++) {
        auto_free(config) config = config_new(without[i]);
        g_assert_null(config->name);
        g_assert_cmpstr(config->ledger, ==, none->ledger);
    }
    g_autofree char *timer = config_unit(out, "rcptguard-agent", ".timer"),
                    *plain = config_unit(none, "rcptguardd", "");
    g_autofree char *option = config_instance_option(out), *no_option = config_instance_option(none);
    g_assert_cmpstr(timer, ==, "rcptguard-agent@postfix-out.timer");
    g_assert_cmpstr(plain, ==, "rcptguardd");
    g_assert_cmpstr(option, ==, " --instance postfix-out");
    g_assert_cmpstr(no_option, ==, "");
    g_autofree char *node = config_fleet_node(none), *out_node = config_fleet_node(out);
    g_autofree char *both = g_strconcat(node, "-postfix-out", NULL);
    g_assert_cmpstr(out_node, ==, both);
}

static void test_instance_names(void)
{
    g_autofree char *longest = g_strnfill(63, 'x'), *longer = g_strnfill(64, 'x');
    g_assert_true(instance_name_is_sound("a"));
    g_assert_true(instance_name_is_sound("postfix-out_2.x"));
    g_assert_true(instance_name_is_sound(longest));
    static const char *const wrong[] = {"",    ".",    "..",  "-c",        ".x",   "_x",
                                        "a/b", "../x", "a b", "rcptguard", "a\nb", "%i"};
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_false(instance_name_is_sound(wrong[i]));
    g_assert_false(instance_name_is_sound(longer));
}

static void test_several_queues(void)
{
    auto_free(config) config = sound("[review]\npostfix-config = /etc/postfix, /etc/postfix-out,b\n");
    g_autofree char *all = g_strjoinv(" ", config->review.places[MTA_POSTFIX].configurations);
    g_assert_cmpstr(all, ==, "/etc/postfix /etc/postfix-out /etc/x/b");
    auto_free(config) listed = sound("[review]\npostfix-config = postmulti\n");
    g_assert_cmpstr(config_mta(listed, MTA_POSTFIX), ==, CONFIG_ALL_INSTANCES);
    WRONG("[review]\npostfix-config = /a,\n", "2:18: postfix-config: expected directories with commas between them, or "
                                              "`postmulti` alone, not `/a,`");
    WRONG("[review]\npostfix-config = /a, postmulti\n",
          "2:18: postfix-config: expected directories with commas between them, or `postmulti` alone, not `/a, "
          "postmulti`");
    WRONG("[review]\npostfix-config = postmulti,/a\n",
          "2:18: postfix-config: expected directories with commas between them, or `postmulti` alone, not "
          "`postmulti,/a`");
    WRONG("[review]\npostfix-config = /a, /a\n", "2:18: postfix-config: has `/a` twice");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/defaults", test_defaults);
    g_test_add_func("/config/copies", test_copies);
    g_test_add_func("/config/every-key", test_every_key);
    g_test_add_func("/config/relative-paths", test_relative_paths);
    g_test_add_func("/config/values-as-glib-reads-them", test_values_as_glib_reads_them);
    g_test_add_func("/config/unknown-words", test_unknown_words);
    g_test_add_func("/config/secrets", test_secrets);
    g_test_add_func("/config/fleet", test_fleet);
    g_test_add_func("/config/duplicates", test_duplicates);
    g_test_add_func("/config/shape", test_shape);
    g_test_add_func("/config/comment-behind-value", test_comment_behind_value);
    g_test_add_func("/config/bad-values", test_bad_values);
    g_test_add_func("/config/bad-sockets", test_bad_sockets);
    g_test_add_func("/config/socket-path-limit", test_socket_path_limit);
    g_test_add_func("/config/sockets", test_sockets);
    g_test_add_func("/config/file", test_file);
    g_test_add_func("/config/instances", test_instances);
    g_test_add_func("/config/instance-names", test_instance_names);
    g_test_add_func("/config/several-queues", test_several_queues);
    return g_test_run();
}
