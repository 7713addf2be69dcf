/* state_keys - see state_keys.h */

#include "policy/state/state_keys.h"

#include "policy/address/address.h"
#include "policy/base/unicode.h"
#include "policy/message/header_text.h"

#include <string.h>

struct state_key {
    GHmac *hmac; /* that knows the key and has read nothing else: each hash begins as a copy */
};

/* In the order of enum state_kind.  They are part of what is kept: a word that changes forgets what it named. */
static const char *const kind_words[] = {"visible",   "party", "domain", "login", "sender", "client", "subject",
                                         "signature", "scope", "record", "rule",  "permit", "message"};

struct state_key *state_key_new(const void *bytes, size_t size)
{
    struct state_key *key = g_new(struct state_key, 1);

    key->hmac = g_hmac_new(G_CHECKSUM_SHA256, bytes, size);
    return key;
}

void state_key_free(struct state_key *key)
{
    if (key == NULL)
        return;
    g_hmac_unref(key->hmac);
    g_free(key);
}

/* ---- hashes */

static GHmac *begin(const struct state_key *key, enum state_kind kind)
{
    GHmac *hmac = g_hmac_copy(key->hmac);

    g_hmac_update(hmac, (const guchar *)kind_words[kind], (gssize)strlen(kind_words[kind]) + 1);
    return hmac;
}

/* With its NUL, so that two texts after each other are told from two others. */
static void add_text(GHmac *hmac, const char *text)
{
    if (text != NULL)
        g_hmac_update(hmac, (const guchar *)text, (gssize)strlen(text) + 1);
    else
        g_hmac_update(hmac, (const guchar *)"\n", 1);
}

static void add_number(GHmac *hmac, guint64 number)
{
    const guint64 bytes = GUINT64_TO_BE(number);

    g_hmac_update(hmac, (const guchar *)&bytes, sizeof bytes);
}

/* Takes the HMAC. */
static state_hash end(GHmac *hmac)
{
    guint8 digest[32];
    gsize size = sizeof digest;
    guint64 first;

    g_hmac_get_digest(hmac, digest, &size);
    g_hmac_unref(hmac);
    memcpy(&first, digest, sizeof first);
    first = GUINT64_FROM_BE(first);
    return first != 0 ? first : 1;
}

state_hash state_hash_text(const struct state_key *key, enum state_kind kind, const char *text)
{
    GHmac *hmac = begin(key, kind);

    add_text(hmac, text);
    return end(hmac);
}

state_hash state_record_id(const struct state_key *key, const struct message *message,
                           const struct state_record *record)
{
    const struct header *id = message_find_header(message, "Message-ID");
    GHmac *hmac = begin(key, STATE_RECORD);

    add_text(hmac, message->queue_id);
    add_text(hmac, id != NULL ? id->value : NULL);
    add_text(hmac, message->sender);
    add_number(hmac, record->author);
    add_number(hmac, record->subject);
    add_number(hmac, (guint64)record->time);
    for (unsigned i = 0; i < record->count; i++) {
        const struct state_values *values = &record->values[i];
        add_number(hmac, values->signature);
        add_number(hmac, values->count);
        for (unsigned j = 0; j < values->count; j++)
            add_number(hmac, values->values[j]);
    }
    return end(hmac);
}

state_hash state_permit_code(const struct state_key *key, const struct message *message,
                             const struct state_permit *permit)
{
    GHmac *hmac = begin(key, STATE_PERMIT_CODE);

    add_text(hmac, message->queue_id);
    add_number(hmac, state_message_id(key, message));
    add_number(hmac, permit->rule);
    add_number(hmac, permit->author);
    add_number(hmac, (guint64)permit->time);
    add_number(hmac, (guint64)permit->until);
    for (unsigned i = 0; i < permit->count; i++)
        add_number(hmac, permit->visible[i]);
    return end(hmac);
}

state_hash state_message_id(const struct state_key *key, const struct message *message)
{
    GHmac *hmac = begin(key, STATE_MESSAGE);

    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        if (g_ascii_strcasecmp(header->name, "Received") == 0 || g_ascii_strcasecmp(header->name, "Return-Path") == 0)
            continue;
        add_text(hmac, header->name);
        add_text(hmac, header->value);
    }
    return end(hmac);
}

/* ---- authors */

/* "prvs=1234abcdef=ann" (draft-levine-smtp-batv), with tag and name in either order, "prvs=ann/1234abcdef",
 * "btv1==...==ann". */
static char *without_batv(const char *local)
{
    static const char prvs[] = "prvs=", btv1[] = "btv1==";
    const char *rest = local + strlen(prvs);

    if (g_str_has_prefix(local, btv1) && strstr(local + strlen(btv1), "==") != NULL)
        return g_strdup(g_strrstr(local, "==") + 2);
    if (!g_str_has_prefix(local, prvs))
        return g_strdup(local);
    const char *second = strchr(rest, '=');
    if (second == NULL)
        return g_strndup(rest, strcspn(rest, "/"));
    bool tag_first = strspn(rest, "0123456789abcdef") == (size_t)(second - rest);
    return tag_first ? g_strdup(second + 1) : g_strndup(rest, (size_t)(second - rest));
}

/* How much of a local part is the author's: up to the detail, or to what a mailing has added. */
static size_t own_length(const char *local)
{
    size_t length = strcspn(local, "+");
    const char *equal = memchr(local, '=', strlen(local));

    if (equal != NULL)
        length = MIN(length, strcspn(local, "-="));
    return length > 0 ? length : strlen(local);
}

char *state_sender(const char *sender)
{
    g_autofree char *address = address_normalise_envelope(sender);
    const char *domain = address_domain(address);
    g_autofree char *written = domain != NULL ? g_strndup(address, (size_t)(domain - address) - 1) : g_strdup(address);
    g_autofree char *local = without_batv(written);

    if (local[0] == '\0')
        return g_steal_pointer(&address);
    return g_strdup_printf("%.*s%s%s", (int)own_length(local), local, domain != NULL ? "@" : "",
                           domain != NULL ? domain : "");
}

static state_hash hash_login(const struct state_key *key, const char *login)
{
    g_autofree char *text = g_utf8_make_valid(login, -1);
    g_autofree char *folded = letters_fold(text);

    return state_hash_text(key, STATE_LOGIN, folded);
}

state_hash state_author(const struct state_key *key, const struct message *message)
{
    if (message->user != NULL && message->user[0] != '\0')
        return hash_login(key, message->user);
    g_autofree char *sender = state_sender(message->sender);
    if (sender[0] != '\0')
        return state_hash_text(key, STATE_SENDER, sender);
    return state_hash_text(key, STATE_CLIENT, message->client);
}

char *state_author_text(const struct message *message)
{
    if (message->user != NULL && message->user[0] != '\0') {
        g_autofree char *text = g_utf8_make_valid(message->user, -1);
        g_autofree char *folded = letters_fold(text);
        return g_strdup_printf("login:%s", folded);
    }
    g_autofree char *sender = state_sender(message->sender);
    return sender[0] != '\0' ? g_strdup_printf("sender:%s", sender)
                             : g_strdup_printf("client:%s", message->client == NULL ? "" : message->client);
}

/* ---- subjects */

/* How long "re:", "aw[2]:" or the like at the start of a folded text is; 0 if it begins otherwise. */
static size_t reply_length(const char *text)
{
    static const char *const words[] = {"re",   "fwd", "fw",  "aw",  "wg",   "sv",   "vs",   "tr",   "rv",
                                        "antw", "res", "enc", "rif", "ynt",  "odp",  "pd",   "vb",   "doorst",
                                        "ref",  "ant", "r",   "i",   "回复", "答复", "转发", "回覆", "轉寄"};
    size_t blanks = strspn(text, " \t");

    text += blanks;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        size_t length = strlen(words[i]);
        if (!g_str_has_prefix(text, words[i]))
            continue;
        length += strspn(text + length, " [(0123456789)]^");
        if (text[length] == ':')
            return blanks + length + 1;
    }
    return 0;
}

char *state_subject_text(const char *subject)
{
    g_autofree char *valid = g_utf8_make_valid(subject, -1);
    g_autofree char *folded = letters_fold(valid);
    GString *letters = g_string_new(NULL);
    const char *text = folded;
    size_t length;

    while ((length = reply_length(text)) > 0)
        text += length;
    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        if (g_unichar_isalpha(c) || g_unichar_ismark(c))
            g_string_append_unichar(letters, c);
    }
    return g_string_free(letters, FALSE);
}

state_hash state_subject(const struct state_key *key, const struct message *message)
{
    const struct header *subject = NULL;
    unsigned words = 0;

    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        if (g_ascii_strcasecmp(header->name, "Subject") != 0)
            continue;
        if (subject != NULL)
            return 0; /* which of them a reader sees is not known */
        subject = header;
    }
    g_autofree char *decoded = subject != NULL ? decode_header(subject->value, &words) : NULL;
    if (decoded == NULL)
        return 0;
    g_autofree char *text = state_subject_text(decoded);
    return text[0] != '\0' ? state_hash_text(key, STATE_SUBJECT, text) : 0;
}

/* ---- who is forgotten */

static void append(GArray *hashes, const struct state_key *key, enum state_kind kind, const char *text)
{
    const state_hash hash = state_hash_text(key, kind, text);

    g_array_append_val(hashes, hash);
}

GArray *state_hashes_of_party(const struct state_key *key, const char *domain)
{
    GArray *hashes = g_array_new(FALSE, FALSE, sizeof(state_hash));
    g_autofree char *normal = domain_normalise(domain, strlen(domain));

    append(hashes, key, STATE_PARTY, normal);
    append(hashes, key, STATE_DOMAIN, normal);
    append(hashes, key, STATE_SCOPE, normal);
    return hashes;
}

GArray *state_hashes_of_address(const struct state_key *key, const char *address)
{
    GArray *hashes = g_array_new(FALSE, FALSE, sizeof(state_hash));
    g_autofree char *normal = address_normalise_text(address);

    append(hashes, key, STATE_VISIBLE, normal);
    append(hashes, key, STATE_PARTY, normal);
    return hashes;
}

GArray *state_hashes_of_sender(const struct state_key *key, const char *address)
{
    GArray *hashes = g_array_new(FALSE, FALSE, sizeof(state_hash));
    g_autofree char *sender = state_sender(address);
    const state_hash login = hash_login(key, address);

    g_array_append_val(hashes, login);
    append(hashes, key, STATE_SENDER, sender);
    return hashes;
}
