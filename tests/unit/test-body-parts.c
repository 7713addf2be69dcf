/* test-body-parts - the structure of a message, and what is reported of what is not read */

#include "policy/message/recipients.h"
#include "policy/parts/body_parts.h"
#include "policy/parts/named_fields.h"
#include "unit.h"

/* "calendar:a b text:c opaque:types" */
static char *parts_text(const struct body_parts *parts)
{
    GString *text = g_string_new(NULL);

    for (unsigned kind = 1; kind <= PART_KIND_LAST; kind <<= 1) {
        if (body_parts_count(parts, kind) == 0)
            continue;
        g_string_append_printf(text, "%s%s:", text->len > 0 ? " " : "", part_kind_name((enum part_kind)kind));
        const char *between = "";
        for (unsigned i = 0; i < body_parts_addresses(parts); i++)
            if ((body_parts_get(parts, i)->kinds & kind) != 0) {
                g_string_append_printf(text, "%s%s", between, body_parts_get(parts, i)->address);
                between = ",";
            }
    }
    for (unsigned kind = 1; kind <= OPAQUE_KIND_LAST; kind <<= 1)
        if ((body_parts_opaque(parts) & kind) != 0)
            g_string_append_printf(text, "%s!%s", text->len > 0 ? " " : "", opaque_kind_name((enum opaque_kind)kind));
    return g_string_free(text, FALSE);
}

static char *raw_text(const char *raw)
{
    auto_free(body_parts) parts = body_parts_read_raw(raw, strlen(raw));

    return parts_text(parts);
}

static void test_structure(void)
{
    static const struct {
        const char *raw, *want;
    } rows[] = {
        {"", ""},
        {"\n", ""},
        {"\na@x.example", "text:a@x.example"},
        {"Subject: a@y.example\n\na@x.example\n", "text:a@x.example"},
        {"Content-Type: text/csv\n\na@x.example\n", "table:a@x.example"},
        {"X: y\n\nTo: a@x.example\rSubject: b@x.example\r\rc@x.example\r",
         "forwarded:a@x.example text:a@x.example,b@x.example,c@x.example"},
        {"Content-Type: text/vcard\n\nBEGIN:VCARD\rUID:a@x.example\rEMAIL:b@x.example\rEND:VCARD\r",
         "contacts:b@x.example"},
        {"Content-Type: text/csv\nContent-Transfer-Encoding: base64\n\nYUB4LmV4YW1wbGU=\n", "table:a@x.example"},
        {"Content-Type: multipart/mixed; boundary=b\n\npre@x.example\n--b\n\na@x.example\n--b\nContent-Type: "
         "text/csv\n\nb@x.example\n--b--\npost@x.example\n",
         "table:b@x.example text:pre@x.example,a@x.example,post@x.example"},
        {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\na@x.example\n", "text:a@x.example"},
        {"Content-Type: multipart/mixed; boundary=b\n\n--b \t\r\n\r\na@x.example\r\n--b--", "text:a@x.example"},
        /* parts in parts; the inner one is not closed */
        {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; "
         "boundary=c\n\n--c\n\na@x.example\n--c\nContent-Type: "
         "text/calendar\n\nATTENDEE:mailto:b@x.example\n--b\n\nc@x.example\n--b--\n",
         "calendar:b@x.example text:a@x.example,c@x.example"},
        /* messages in messages, and what a digest has */
        {"Content-Type: message/rfc822\n\nTo: a@x.example\nContent-Type: message/rfc822\n\nCc: "
         "b@x.example\n\nc@x.example\n",
         "forwarded:a@x.example,b@x.example text:c@x.example"},
        {"Content-Type: multipart/digest; boundary=b\n\n--b\n\nTo: a@x.example\n\ntext\n--b--\n",
         "forwarded:a@x.example"},
        {"Content-Type: text/rfc822-headers\n\nTo: a@x.example,\n b@x.example\nSubject: c@x.example\n",
         "forwarded:a@x.example,b@x.example text:a@x.example,b@x.example,c@x.example"},
        {"Content-Type: message/rfc822\n\nFrom: a@x.example\nReply-To: b@x.example\n\n", ""},
        {"Content-Type: message/rfc822\n\nFrom: a@x.example, b@x.example, c@x.example\n\n",
         "forwarded:a@x.example,b@x.example,c@x.example"},
        {"Content-Type: message/rfc822\n\nTo: \"Lee, Ann\" <=?utf-8?q?a=40x.example?=>; b@x.example (c@x.example)\n\n",
         "forwarded:b@x.example,c@x.example,a@x.example"},
        {"Content-Type: message/rfc822\n\nFrom a Mon Jan 1\nTo: a@x.example\n\n", "forwarded:a@x.example"},
        {"Content-Type: message/rfc822\n\n\r\n\nTo: a@x.example\n\n", "forwarded:a@x.example"},
        /* what is encoded although it may not be */
        {"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nVG86IGFAeC5leGFtcGxlCgpi\n",
         "forwarded:a@x.example"},
        {"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: "
         "base64\n\nLS1iCgphQHguZXhhbXBsZQotLWItLQo=\n",
         "text:a@x.example"},
        {"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: "
         "quoted-printable\n\n--b\n\na@x.example\n--b--\n",
         "text:a@x.example"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = raw_text(rows[i].raw);
        if (strcmp(got, rows[i].want) != 0)
            UNIT_FAIL("%s\nis %s, not %s", rows[i].raw, got, rows[i].want);
    }
}

static void test_opaque(void)
{
    static const struct {
        const char *raw, *want;
    } rows[] = {
        {"Content-Type: multipart/mixed\n\n--b\n\na@x.example\n", "text:a@x.example !broken"},
        {"Content-Type: multipart/mixed; boundary=c\n\n--b\n\na@x.example\n", "text:a@x.example !broken"},
        {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\na\n--bb\n\nb@x.example\n--b--\n",
         "text:b@x.example !broken"},
        {"Content-Type: multipart/mixed; boundary=b\n\n--b\nno field\na@x.example\n--b--\n",
         "text:a@x.example !broken"},
        {"Content-Type: multipart/mixed; boundary=b\nContent-Type: text/plain\n\n--b\n\na@x.example\n--b--\n",
         "text:a@x.example !broken"},
        {"Content-Type: text/plain; charset=x-other\n\na@x.example\n", "text:a@x.example !broken"},
        {"Content-Transfer-Encoding: x-uuencode\n\na@x.example\n", "text:a@x.example !broken"},
        {"Content-Type: text/csv\nContent-Transfer-Encoding: base64\n\nYUB4LmV4YW1wbGU=\n-- \nfooter@x.example\n",
         "table:a@x.example,footer@x.example !broken"},
        {"Content-Type: application/pdf\n\n%PDF-1.4\n", "!types"},
        {"Content-Type: application/pdf\n\n%PDF-1.4\n<< /Encrypt 1 0 R >>\n", "!encrypted !types"},
        {"Content-Type: text/plain\n\nPK\003\004 a@x.example", "!types"},
        {"Content-Type: image/png\n\nPK\003\004", "!types"},
        {"Content-Type: image/png\n\n\211PNG\r\n\032\n\1\2\3 a@x.example", ""},
        {"Content-Type: image/png\n\nName,a@x.example", "text:a@x.example"},
        {"Content-Type: application/x-thing\n\n\1\2\3\4\5\6\7 a@x.example", "!types"},
        {"Content-Type: application/x-thing\n\nwords a@x.example", "text:a@x.example"},
        {"Content-Type: application/pkcs7-mime\n\nx", "!encrypted"},
        {"Content-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: "
         "1\n--b\nContent-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----\n\nhQ\n--b--\n",
         "!encrypted"},
        {"\nHello\n-----BEGIN PGP MESSAGE-----\n\nhQ\n", "!encrypted"},
        {"\nHello\n\nbegin 644 list.xls\nM1234\nend\n", "!types"},
        {"\nWe begin 644 things\n", ""},
        {"Content-Type: application/octet-stream; name=mail\n\nTo: a@x.example\nContent-Transfer-Encoding: "
         "base64\n\nYQ==\n",
         "forwarded:a@x.example text:a@x.example !types"},
        {"Content-Type: message/external-body; access-type=URL\n\nContent-Type: text/csv\n\n", "!types"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = raw_text(rows[i].raw);
        if (strcmp(got, rows[i].want) != 0)
            UNIT_FAIL("%s\nis %s, not %s", rows[i].raw, got, rows[i].want);
    }
}

/* So many multiparts, or messages, in each other, and an address in the last one. */
static char *nested(unsigned depth, bool messages)
{
    GString *raw = g_string_new(NULL);

    for (unsigned i = 0; i < depth; i++) {
        if (messages)
            g_string_append_printf(raw, "%sContent-Type: message/rfc822\n", i > 0 ? "\n" : "");
        else
            g_string_append_printf(raw, "Content-Type: multipart/mixed; boundary=b%u.\n\n--b%u.\n", i, i);
    }
    g_string_append(raw, messages ? "\nTo: a@x.example\n\n" : "Content-Type: text/csv\n\na@x.example\n");
    return g_string_free(raw, FALSE);
}

static void test_depth(void)
{
    for (unsigned messages = 0; messages < 2; messages++)
        for (unsigned more = 0; more < 2; more++) {
            g_autofree char *raw = nested(BODY_DEPTH_LIMIT + more, messages == 1), *got = raw_text(raw);
            const char *want = messages == 1 ? "forwarded:a@x.example" : "table:a@x.example";
            /* What is deeper is read as text, in which a header is a quoted one. */
            if (more == 1)
                want = messages == 1 ? "forwarded:a@x.example !limits" : "text:a@x.example !limits";
            g_assert_cmpstr(got, ==, want);
        }
}

static void test_many_parts(void)
{
    for (unsigned more = 0; more < 2; more++) {
        GString *raw = g_string_new("Content-Type: multipart/mixed; boundary=b\n\n");
        /* The multipart is one of them. */
        for (unsigned i = 0; i < BODY_PARTS_LIMIT - 1 + more; i++)
            g_string_append_printf(raw, "--b\nContent-Type: text/csv\n\na%u@x.example\n", i);
        g_string_append(raw, "--b--\n");
        auto_free(body_parts) parts = body_parts_read_raw(raw->str, raw->len);
        g_assert_cmpuint(body_parts_opaque(parts), ==, more == 1 ? OPAQUE_LIMITS : 0);
        g_assert_cmpuint(body_parts_addresses(parts), ==, BODY_PARTS_LIMIT - 1 + more);
        g_assert_cmpuint(body_parts_domains(parts), ==, 1);
        g_assert_cmpuint(body_parts_accounts(parts), <=, BODY_PARTS_LIMIT);
        g_string_free(raw, TRUE);
    }
}

/* An address is found whole wherever the pieces end in which a text is decoded and scanned. */
static void test_pieces(void)
{
    static const struct {
        const char *header, *filler, *address, *after, *want;
    } rows[] = {
        {"Content-Type: text/plain\n\n", "word ", "bob.ray@mail.second.example", " end\n",
         "text:bob.ray@mail.second.example"},
        {"Content-Type: text/plain\n\n", "a line\n", "bob.ray@mail.second.example", "\nend\n",
         "text:bob.ray@mail.second.example"},
        {"Content-Type: text/plain; charset=utf-8\n\n", "\346\250\243", ",bob.ray@mail.second.example", ";\346\250\243",
         "text:bob.ray@mail.second.example"},
        {"Content-Type: text/csv\n\n", "word;", "bob.ray@mail.second.example", ";end",
         "table:bob.ray@mail.second.example"},
        {"Content-Type: text/html\n\n", "<b>word</b> ", "bob.ray&#64;mail.second.example", "<br>",
         "text:bob.ray@mail.second.example"},
        {"Content-Type: text/html\n\n", "<b>word</b> ", "<a href=\"mailto:bob.ray@mail.second.example\">", "<br>",
         "text:bob.ray@mail.second.example"},
        {"Content-Transfer-Encoding: quoted-printable\n\n", "word =\n", "bob.ray=40mail.=\nsecond.example", " end=\n",
         "text:bob.ray@mail.second.example"},
        {"Content-Type: text/calendar\n\n", "X:word\n", "ATTENDEE;CN=x:mailto:bob.ray@ma\n il.second.example\n",
         "X:end\n", "calendar:bob.ray@mail.second.example"},
        {"X: y\n\nTo: one@first.example;\n", "a name;\n", "bob.ray@mail.second.example;", "\n\n",
         "forwarded:one@first.example,bob.ray@mail.second.example text:one@first.example,bob.ray@mail.second.example"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (size_t place = 16384 - 80; place < 131072 + 80; place += place % 16384 == 80 ? 3 * 16384 - 160 : 1) {
            g_autoptr(GString) raw = g_string_new(rows[i].header);
            size_t filler = strlen(rows[i].filler), begin = raw->len;
            while (raw->len - begin + filler <= place)
                g_string_append(raw, rows[i].filler);
            while (raw->len - begin < place && rows[i].filler[filler - 1] == ' ')
                g_string_append_c(raw, ' ');
            g_string_append(raw, rows[i].address);
            for (unsigned more = 0; more < 40; more++)
                g_string_append(raw, rows[i].after);
            g_autofree char *got = raw_text(raw->str);
            if (strcmp(got, rows[i].want) != 0)
                UNIT_FAIL("row %zu at %zu: %s", i, place, got);
        }
}

static void test_accounts(void)
{
    static const char raw[] =
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\na@x.example b@x.example\n"
        "--b\nContent-Type: text/csv; name=l.csv\n\nb@x.example,c@x.example,B@X.example\n"
        "--b\nContent-Type: message/rfc822\n\nTo: d@x.example\nContent-Type: application/pdf\n\n%PDF-1.4\n--b--\n";
    static const struct {
        const char *path, *type, *name;
        unsigned kinds, opaque, addresses;
    } want[] = {
        {.path = "1", .type = "text/plain", .kinds = PART_TEXT, .addresses = 2},
        {.path = "2", .type = "text/csv", .name = "l.csv", .kinds = PART_TABLE, .addresses = 2},
        {.path = "3", .type = "message/rfc822", .kinds = PART_FORWARDED, .addresses = 1},
        {.path = "3.1", .type = "application/pdf", .opaque = OPAQUE_TYPES},
    };
    auto_free(body_parts) parts = body_parts_read_raw(raw, strlen(raw));

    g_assert_cmpuint(body_parts_accounts(parts), ==, G_N_ELEMENTS(want));
    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++) {
        const struct part_account *got = body_parts_account(parts, i);
        g_assert_cmpstr(got->path, ==, want[i].path);
        g_assert_cmpstr(got->type, ==, want[i].type);
        g_assert_cmpstr(got->name, ==, want[i].name);
        g_assert_cmpuint(got->kinds, ==, want[i].kinds);
        g_assert_cmpuint(got->opaque, ==, want[i].opaque);
        g_assert_cmpuint(got->addresses, ==, want[i].addresses);
    }
    g_assert_cmpuint(body_parts_count(parts, PART_TABLE | PART_FORWARDED), ==, 3);
    g_assert_cmpuint(body_parts_opaque(parts), ==, OPAQUE_TYPES);
}

/* The header fields come from the MTA, and the body may have been cut. */
static void test_source(void)
{
    auto_free(message) message = message_of("care@me.example", "ann@x.example");
    static const char body[] = "ATTENDEE:mailto:bob@x.example\r\n";

    message_add_header(message, "Content-Type", " text/calendar;\n\tcharset=utf-8");
    for (unsigned cut = 0; cut < 2; cut++) {
        auto_free(body_parts) parts = body_parts_read(
            &(struct body_source){.message = message, .body = body, .length = strlen(body), .cut = cut == 1});
        g_autofree char *got = parts_text(parts);
        g_assert_cmpstr(got, ==, cut == 1 ? "calendar:bob@x.example !limits" : "calendar:bob@x.example");
    }
}

static void test_named_fields(void)
{
    static const char *const names[] = {"Reply-To", "X-Original-To", NULL};
    auto_free(message) message = message_of("care@me.example", "ann@x.example");

    message_add_header(message, "reply-to", "Bob <bob@x.example>, carl@y.example");
    message_add_header(message, "X-Original-To", "bob@x.example");
    message_add_header(message, "X-Other", "dan@x.example");
    auto_free(recipients) named = named_fields_read(message, names);
    g_assert_cmpuint(recipients_count(named), ==, 2);
    g_assert_cmpstr(recipients_get(named, 0)->address, ==, "bob@x.example");
    g_assert_cmpstr(recipients_get(named, 1)->address, ==, "carl@y.example");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/body-parts/structure", test_structure);
    g_test_add_func("/body-parts/opaque", test_opaque);
    g_test_add_func("/body-parts/depth", test_depth);
    g_test_add_func("/body-parts/many", test_many_parts);
    g_test_add_func("/body-parts/pieces", test_pieces);
    g_test_add_func("/body-parts/accounts", test_accounts);
    g_test_add_func("/body-parts/source", test_source);
    g_test_add_func("/body-parts/named-fields", test_named_fields);
    return g_test_run();
}
