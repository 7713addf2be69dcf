/* address - see address.h */

#include "policy/address/address.h"

#include "policy/address/source_route.h"
#include "policy/base/keyed_hash.h"
#include "policy/base/unicode.h"

#include <idn2.h>
#include <string.h>

/* Far longer than any name in the DNS: it is not worth IDNA's time. */
#define IDNA_INPUT_LIMIT 1024

/*
 * More marks on one letter are not looked at (UAX #15, Stream-Safe Text Format):
 * putting n of them in order takes GLib n * n steps.
 */
#define MARKS_LIMIT 30

static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

static void lower_ascii(char *text)
{
    for (; *text != '\0'; text++)
        *text = g_ascii_tolower(*text);
}

/*
 * What is seen of a text; full-width letters and dots are those of ASCII.  `settled`:
 * nothing of it is changed by NFC, and only letters of ASCII by lower case.
 */
static char *seen_of(const char *text, size_t length, bool *settled)
{
    char *seen = g_malloc(LETTER_REPLACED_LENGTH * length + 1), *to = seen;
    unsigned marks = 0;

    *settled = true;
    for (const char *p = text, *end = text + length; p < end;) {
        unsigned size = 1;
        gunichar c = (unsigned char)*p < 0x80 ? (unsigned char)*p : letter_read(p, end, &size);
        char equal = c < 0x80 ? 0 : letter_ascii_equal(c);
        p += size;
        if (c < 0x80) {
            *to++ = (char)c;
            marks = 0;
        } else if (g_ascii_isalnum(equal) || (equal != 0 && strchr(".-_+", equal) != NULL)) {
            *to++ = equal;
            marks = 0;
        } else if (letter_is_settled(c)) {
            to += g_unichar_to_utf8(c, to);
            marks = 0;
        } else if (!letter_is_invisible(c)) {
            *settled = false;
            marks = g_unichar_combining_class(c) == 0 ? 0 : marks + 1;
            if (marks <= MARKS_LIMIT)
                to += g_unichar_to_utf8(c, to);
        }
    }
    *to = '\0';
    return g_realloc(seen, (size_t)(to - seen) + 1);
}

/* Whether that many bytes more may be folded. */
static bool may_fold(struct idna *idna, size_t length)
{
    if (idna == NULL)
        return true;
    if (length > FOLDED_BYTES_LIMIT - idna->folded) {
        idna->exhausted = true;
        return false;
    }
    idna->folded += length;
    return true;
}

/* NFC, lower case, and only what is seen. */
static char *fold_unicode(const char *text, size_t length, struct idna *idna)
{
    bool settled;
    /* First, since what cannot be seen keeps apart what composes. */
    g_autofree char *seen = seen_of(text, length, &settled);

    if (settled || !may_fold(idna, strlen(seen))) {
        lower_ascii(seen);
        return g_steal_pointer(&seen);
    }
    g_autofree char *composed = letters_compose(seen);
    g_autofree char *lower = g_utf8_strdown(composed, -1);
    /* The small letter of a composed one may be two. */
    if (strcmp(lower, composed) != 0) {
        char *again = letters_compose(lower);
        g_free(lower);
        lower = again;
    }
    /* Once more, since one mark may have become several. */
    return seen_of(lower, strlen(lower), &settled);
}

/* Without white space (it may be folded) and trailing dots. */
static void trim_domain(char *domain)
{
    char *to = domain;

    for (const char *from = domain; *from != '\0'; from++)
        if (!g_ascii_isspace(*from))
            *to++ = *from;
    while (to > domain && to[-1] == '.')
        to--;
    *to = '\0';
}

char *domain_normalise(const char *domain, size_t length)
{
    char *name;

    if (is_ascii(domain, length)) {
        name = g_strndup(domain, length);
        lower_ascii(name);
        trim_domain(name);
        return name;
    }
    name = fold_unicode(domain, length, NULL);
    trim_domain(name);
    if (strlen(name) <= IDNA_INPUT_LIMIT) {
        char *ascii = NULL;
        int status = idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        if (status == IDN2_OK) {
            g_free(name);
            name = g_strdup(ascii);
            /* The other dots of IDNA (U+3002, ...) have become dots only now. */
            lower_ascii(name);
            trim_domain(name);
        }
        idn2_free(ascii);
    }
    return name;
}

/* RFC 5322 atext and dots, and all that is not ASCII (RFC 6532): what needs no quotes. */
static bool needs_no_quotes(unsigned char c)
{
    return c >= 0x80 || g_ascii_isalnum(c) || strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL;
}

/* The local part without its quotes and backslashes. */
static char *unquote(const char *local, size_t length)
{
    GString *plain = g_string_sized_new(length);
    bool quoted = false;

    for (size_t i = 0; i < length; i++) {
        bool escaped = local[i] == '\\' && i + 1 < length;
        char c = local[escaped ? ++i : i];
        if (c == '"' && !escaped)
            quoted = !quoted;
        else if (c == '\r' || c == '\n')
            continue; /* a fold; the blank after it stays */
        else if (escaped || quoted || !g_ascii_isspace(c))
            g_string_append_c(plain, g_ascii_isspace(c) ? ' ' : c);
    }
    return g_string_free(plain, FALSE);
}

static char *local_normalise(const char *local, size_t length, struct idna *idna)
{
    bool plain_enough = true, ascii = true;

    for (size_t i = 0; i < length; i++) {
        ascii = ascii && (unsigned char)local[i] < 0x80;
        plain_enough = plain_enough && needs_no_quotes((unsigned char)local[i]);
    }
    char *plain = plain_enough ? g_strndup(local, length) : unquote(local, length);
    if (ascii) {
        lower_ascii(plain);
    } else {
        char *folded = fold_unicode(plain, strlen(plain), idna);
        g_free(plain);
        plain = folded;
    }
    if (plain_enough)
        return plain;
    for (const char *p = plain; *p != '\0'; p++) {
        if (!needs_no_quotes((unsigned char)*p)) {
            GString *quoted = g_string_new("\"");
            for (p = plain; *p != '\0'; p++) {
                if (*p == '"' || *p == '\\')
                    g_string_append_c(quoted, '\\');
                g_string_append_c(quoted, *p);
            }
            g_string_append_c(quoted, '"');
            g_free(plain);
            return g_string_free(quoted, FALSE);
        }
    }
    return plain;
}

void idna_clear(struct idna *idna)
{
    if (idna->known != NULL)
        g_hash_table_unref(idna->known);
}

static char *domain_normalise_remembered(const char *domain, size_t length, struct idna *idna)
{
    char *normal;

    if (idna == NULL || is_ascii(domain, length))
        return domain_normalise(domain, length);
    if (idna->known == NULL)
        idna->known = g_hash_table_new_full(hash_string, g_str_equal, g_free, g_free);
    g_autofree char *written = g_strndup(domain, length);
    const char *known = g_hash_table_lookup(idna->known, written);
    if (known != NULL)
        return g_strdup(known);
    if (g_hash_table_size(idna->known) >= IDNA_LIMIT || !may_fold(idna, length)) {
        idna->exhausted = true;
        normal = g_utf8_make_valid(written, -1);
        trim_domain(normal);
        return normal;
    }
    normal = domain_normalise(domain, length);
    g_hash_table_insert(idna->known, g_steal_pointer(&written), g_strdup(normal));
    return normal;
}

/* 'ann@x.example', as some programs quote. */
static bool unwrap(char *user, char *host)
{
    size_t length = strlen(host), wrapped = 0;

    while (user[wrapped] == '\'' && user[wrapped + 1] != '\0' && length > 1 && host[length - 1] == '\'') {
        wrapped++;
        length--;
        while (length > 0 && host[length - 1] == '.')
            length--;
    }
    host[length] = '\0';
    memmove(user, user + wrapped, strlen(user + wrapped) + 1);
    return wrapped > 0;
}

char *address_normalise(const char *local, size_t local_length, const char *domain, size_t domain_length,
                        struct idna *idna)
{
    /* Once as it is written, since IDNA refuses a name that ends so, and once after quotes and dots. */
    while (local_length > 1 && domain_length > 1 && local[0] == '\'' && domain[domain_length - 1] == '\'') {
        local++;
        local_length--;
        domain_length--;
    }
    g_autofree char *user = local_normalise(local, local_length, idna);
    g_autofree char *host = domain_normalise_remembered(domain, domain_length, idna);
    /* What IDNA refused for its apostrophe it may take without. */
    if (unwrap(user, host)) {
        char *again = domain_normalise_remembered(host, strlen(host), idna);
        g_free(host);
        host = again;
    }
    /* The one local part that is nothing but its quotes (RFC 5321 section 4.1.2). */
    if (user[0] == '\0' && memchr(local, '"', local_length) != NULL) {
        g_free(user);
        user = g_strdup("\"\"");
    }
    /* An `@` within a domain would part the address elsewhere than it was parted here. */
    if (user[0] == '\0' || host[0] == '\0' || strchr(host, '@') != NULL)
        return NULL;
    return g_strconcat(user, "@", host, NULL);
}

char *address_normalise_text(const char *address)
{
    const char *at = strrchr(address, '@');
    char *normal = NULL;

    if (at != NULL)
        normal = address_normalise(address, (size_t)(at - address), at + 1, strlen(at + 1), NULL);
    return normal != NULL ? normal
                          : local_normalise(address, at != NULL ? (size_t)(at - address) : strlen(address), NULL);
}

char *address_normalise_envelope(const char *address)
{
    g_autofree char *plain = route_address(address);

    return address_normalise_text(plain);
}

const char *address_domain(const char *address)
{
    const char *at = strrchr(address, '@');

    return at == NULL ? NULL : at + 1;
}

char *domain_display(const char *domain)
{
    char *unicode = NULL;

    if (strstr(domain, "xn--") != NULL && strlen(domain) <= IDNA_INPUT_LIMIT &&
        idn2_to_unicode_8z8z(domain, &unicode, IDN2_NONTRANSITIONAL) == IDN2_OK) {
        char *result = g_utf8_make_valid(unicode, -1);
        idn2_free(unicode);
        return result;
    }
    return g_utf8_make_valid(domain, -1);
}

char *address_display(const char *address)
{
    const char *domain = address_domain(address);

    if (domain == NULL)
        return domain_display(address);
    g_autofree char *local = g_utf8_make_valid(address, domain - 1 - address);
    g_autofree char *host = domain_display(domain);
    return g_strconcat(local, "@", host, NULL);
}

bool domain_is_literal(const char *domain)
{
    size_t length = strlen(domain);

    return length > 2 && domain[0] == '[' && domain[length - 1] == ']';
}

const char *domain_tail(const char *domain, unsigned labels)
{
    const char *p = domain + strlen(domain);

    while (p > domain && (p[-1] != '.' || --labels > 0))
        p--;
    return p;
}

bool domain_is_name(const char *domain)
{
    size_t label = 0, length = strlen(domain);

    if (length == 0 || length > DOMAIN_LENGTH_LIMIT)
        return false;
    for (const char *p = domain; *p != '\0'; p++) {
        if (*p == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!g_ascii_isalnum(*p) && *p != '-' && *p != '_') {
            return false;
        } else if (++label > 63) {
            return false;
        }
    }
    return label > 0;
}

const char *address_library_version(void)
{
    return idn2_check_version(NULL);
}
