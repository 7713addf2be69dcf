/* recipients - see recipients.h */

#include "policy/message/recipients.h"

#include "policy/address/address.h"
#include "policy/address/address_scan.h"
#include "policy/address/address_set.h"
#include "policy/address/at_signs.h"
#include "policy/address/simple_list.h"
#include "policy/address/source_route.h"
#include "policy/message/defects.h"
#include "policy/message/from_authors.h"
#include "policy/message/gmime_address.h"
#include "policy/message/gmime_api.h"
#include "policy/message/gmime_bounds.h"
#include "policy/message/header_cut.h"
#include "policy/message/header_text.h"

#include <pthread.h>
#include <string.h>

struct recipients {
    struct addresses addresses;
    struct addresses domains; /* of these, which they are a part of */
    GArray *list;             /* struct recipient, in the order of the addresses */
    unsigned defects;
    unsigned longer;  /* of the list, those whom the third reading alone found */
    unsigned at_once; /* headers that one pass was enough for */
};

/* What is shared by the headers of one message while they are read. */
struct reader {
    GMimeParserOptions *options;
    bool warned;
    struct parsable shown; /* to GMime */
    unsigned readings;
    unsigned words;
    bool exhausted; /* of these */
    bool long_way;  /* always, for tests */
    struct simple_list simple;
    struct account account;
    struct idna idna;
    GArray *hits;
    GPtrArray *flat;         /* InternetAddress * */
    struct addresses parsed; /* of one header: what the grammar found */
    struct addresses named;  /* what is in the names that the grammar found */
    struct addresses seen;   /* what the scanner found */
};

/* What kind of text is scanned. */
enum text_kind {
    TEXT_LIST,  /* as an MTA gets it */
    TEXT_PROSE, /* as only a person reads it */
};

static const struct {
    const char *name;
    enum recipient_field field;
} fields[] = {
    {"To", FIELD_TO},
    {"Cc", FIELD_CC},
    {"Bcc", FIELD_BCC},
    {"Resent-To", FIELD_RESENT_TO},
    {"Resent-Cc", FIELD_RESENT_CC},
    {"Resent-Bcc", FIELD_RESENT_BCC},
    {"Apparently-To", FIELD_APPARENTLY_TO},
    {"From", FIELD_FROM},
};

const char *recipient_field_name(enum recipient_field field)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
        if (fields[i].field == field)
            return fields[i].name;
    return NULL;
}

char *recipient_field_names(unsigned bits)
{
    GString *names = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
        if ((bits & fields[i].field) != 0)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", fields[i].name);
    return g_string_free(names, FALSE);
}

static unsigned field_of(const char *name)
{
    /* Every name begins with one of these; most headers do not. */
    switch (name[0] | 0x20) {
    case 't':
    case 'c':
    case 'b':
    case 'r':
    case 'a':
    case 'f':
        for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
            if (g_ascii_strcasecmp(fields[i].name, name) == 0)
                return fields[i].field;
    }
    return 0;
}

static void recipients_put(struct recipients *recipients, const char *address, size_t length, unsigned field)
{
    bool added, new_domain;
    int place = addresses_put(&recipients->addresses, address, length, RECIPIENTS_LIMIT, &added);

    if (place < 0) {
        recipients->defects |= DEFECT_LIMIT;
    } else if (!added) {
        g_array_index(recipients->list, struct recipient, (unsigned)place).fields |= field;
    } else {
        struct recipient recipient = {.address = addresses_get(&recipients->addresses, (unsigned)place)};
        const char *domain = address_domain(recipient.address);
        recipient.fields = field;
        recipient.domain = (unsigned)addresses_put(
            &recipients->domains, domain, length - (size_t)(domain - recipient.address), G_MAXUINT, &new_domain);
        g_array_append_val(recipients->list, recipient);
    }
}

/* Empties a set into the recipients of the message, without those of another set (NULL: all). */
static void recipients_take(struct recipients *recipients, struct addresses *addresses, const struct addresses *without,
                            unsigned field)
{
    for (unsigned i = 0; i < addresses_count(addresses); i++) {
        const char *address = addresses_get(addresses, i);
        if (without == NULL || addresses_find(without, address) < 0)
            recipients_put(recipients, address, strlen(address), field);
    }
    addresses_empty(addresses);
}

static bool is_within(const struct addresses *part, const struct addresses *whole, const struct addresses *or_whole)
{
    for (unsigned i = 0; i < addresses_count(part); i++) {
        const char *address = addresses_get(part, i);
        if (addresses_find(whole, address) < 0 && (or_whole == NULL || addresses_find(or_whole, address) < 0))
            return false;
    }
    return true;
}

static void on_warning(gint64 offset, GMimeParserWarning code, const gchar *item, gpointer data)
{
    struct reader *reader = data;

    (void)offset;
    (void)item;
    if (code == GMIME_WARN_INVALID_ADDRESS_LIST)
        reader->warned = true;
}

/* GMime's types are registered on first use, which is not safe in two threads at once. */
static void gmime_register(void)
{
    decode_start();
    InternetAddressList *list = internet_address_list_new();
    gmime_append_parse(list, NULL, "g: a@x.example;, =?utf-8?q?b?= <b@x.example>");
    g_object_unref(list);
}

static void gmime_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, gmime_register);
}

static void reader_start(struct reader *reader, bool long_way)
{
    *reader = (struct reader){.long_way = long_way};
    reader->hits = g_array_new(FALSE, FALSE, sizeof(struct scan_hit));
    addresses_init(&reader->parsed);
    addresses_init(&reader->named);
    addresses_init(&reader->seen);
    account_start(&reader->account, &reader->parsed, &reader->idna);
}

/* What the grammar needs; plain headers do without. */
static GMimeParserOptions *reader_options(struct reader *reader)
{
    if (reader->options != NULL)
        return reader->options;
    gmime_start();
    reader->options = g_mime_parser_options_new();
    gmime_set_warning_callback(reader->options, on_warning, reader);
    /* Otherwise two shapes of input are quadratic; a mailbox without a domain is dropped below. */
    g_mime_parser_options_set_allow_addresses_without_domain(reader->options, TRUE);
    reader->flat = g_ptr_array_new();
    return reader->options;
}

static void reader_end(struct reader *reader)
{
    if (reader->options != NULL) {
        g_mime_parser_options_free(reader->options);
        g_ptr_array_unref(reader->flat);
    }
    g_array_unref(reader->hits);
    addresses_clear(&reader->parsed);
    addresses_clear(&reader->named);
    addresses_clear(&reader->seen);
    simple_list_clear(&reader->simple);
    account_end(&reader->account);
    idna_clear(&reader->idna);
}

static void mailbox_add(struct reader *reader, InternetAddressMailbox *mailbox)
{
    const char *address = mailbox->addr;

    /* The library knows where its `@` is; a quoted local part may hold another. */
    if (address == NULL || mailbox->at <= 0 || gmime_runs_together(address, strlen(address)))
        return;
    size_t local_length = (size_t)mailbox->at;
    const char *domain = address + mailbox->at + 1;
    size_t domain_length = strlen(domain);
    /* {ann@x.example}: what wraps an address is none of it. */
    if (domain_length > 1 && domain[domain_length - 1] == '}') {
        domain_length--;
        if (local_length > 1 && address[0] == '{') {
            address++;
            local_length--;
        }
    }
    if (domain_length > 1 && domain[0] == '{') {
        domain++;
        domain_length--;
    }
    if (gmime_ends_later(domain, domain_length))
        return;
    addresses_add(&reader->parsed, address_normalise(address, local_length, domain, domain_length, &reader->idna));
}

/* address_normalise of parts of a clean text. */
static char *normalise_clean(struct reader *reader, const char *local, size_t local_length, const char *domain,
                             size_t domain_length)
{
    g_autofree char *blanks = NULL;

    if (memchr(local, SCAN_PARTED, local_length) != NULL) {
        blanks = g_strndup(local, local_length);
        local = g_strdelimit(blanks, (const char[]){SCAN_PARTED, '\0'}, ' ');
    }
    return address_normalise(local, local_length, domain, domain_length, &reader->idna);
}

/* The address of a hit with the local part that starts at `local`, or NULL. */
static char *hit_address(struct reader *reader, const char *text, size_t local, const struct scan_hit *hit)
{
    return normalise_clean(reader, text + local, hit->local_end - local, text + hit->domain, hit->end - hit->domain);
}

/* The other reading of a hit whose domain may end before a fold, or NULL. */
static char *hit_short_address(struct reader *reader, const char *text, const struct scan_hit *hit)
{
    if (hit->short_end == hit->end)
        return NULL;
    return normalise_clean(reader, text + hit->tight, hit->local_end - hit->tight, text + hit->domain,
                           hit->short_end - hit->domain);
}

/* Whether somebody can be read in the quoted local part of a hit, rather than a name with an `@`. */
static bool holds_people(const char *text, const GArray *hits, unsigned index)
{
    size_t start = g_array_index(hits, struct scan_hit, index).wide;

    while (index-- > 0 && g_array_index(hits, struct scan_hit, index).at > start) {
        const struct scan_hit *inner = &g_array_index(hits, struct scan_hit, index);
        if (memchr(text + inner->domain, '.', inner->end - inner->domain) != NULL)
            return true;
    }
    return false;
}

/*
 * What each hit means, or NULL for those that are none of their own.  A hit
 * whose widest reading is an address that the grammar has found is that address (and
 * its tight reading no other), and so is any `@` within it: a quoted local part may hold one.
 */
static void read_hits(struct reader *reader, const char *text, char **found)
{
    GArray *hits = reader->hits;
    size_t covered = G_MAXSIZE;
    bool parsed = addresses_count(&reader->parsed) > 0;

    /* Backwards, since a local part ends after what it covers. */
    for (unsigned i = hits->len; i-- > 0;) {
        struct scan_hit *hit = &g_array_index(hits, struct scan_hit, i);
        bool spread = hit->wide != hit->tight;
        if (hit->at >= covered)
            continue;
        covered = G_MAXSIZE;
        if (spread && parsed)
            found[i] = hit_address(reader, text, hit->wide, hit);
        if (found[i] != NULL && addresses_find(&reader->parsed, found[i]) >= 0) {
            hit->tight = hit->wide;
        } else {
            g_free(found[i]);
            found[i] = hit_address(reader, text, hit->tight, hit);
        }
        if (found[i] == NULL || addresses_find(&reader->parsed, found[i]) < 0)
            continue;
        if ((spread || hit->quoted) && !holds_people(text, hits, i))
            covered = hit->wide;
    }
}

/* The second reading, of a text in which one `@` is like the other; what it finds joins `seen`. */
static void scan_value(struct reader *reader, const char *value, enum text_kind kind, struct addresses *seen)
{
    g_autofree char *owned = NULL;
    size_t length;
    const char *text = scan_clean(value, strlen(value), &length, &owned);
    GArray *hits = reader->hits;

    if (memchr(text, '@', length) == NULL)
        return;
    g_array_set_size(hits, 0);
    scan_text(text, length, READINGS_LIMIT - reader->readings + 1, hits);
    if (hits->len > READINGS_LIMIT - reader->readings) {
        g_array_set_size(hits, READINGS_LIMIT - reader->readings);
        reader->exhausted = true;
    }
    reader->readings += hits->len;
    g_autofree char **found = g_new0(char *, hits->len + 1);
    read_hits(reader, text, found);
    if (!account_text(&reader->account, text, length, kind == TEXT_PROSE, hits, found))
        reader->exhausted = true;
    for (unsigned i = 0; i < hits->len; i++) {
        const struct scan_hit *hit = &g_array_index(hits, struct scan_hit, i);
        if (found[i] != NULL)
            addresses_add(seen, hit_short_address(reader, text, hit));
        addresses_add(seen, found[i]);
    }
}

/* Appends what a list holds; members of groups are appended later, by the same walk. */
static void flatten(GPtrArray *flat, InternetAddressList *list)
{
    int length = internet_address_list_length(list);

    for (int i = 0; i < length; i++)
        g_ptr_array_add(flat, internet_address_list_get_address(list, i));
}

/* The first reading.  Groups are walked without recursion. */
static void parse_value(struct reader *reader, const char *value)
{
    GMimeParserOptions *options = reader_options(reader);
    InternetAddressList *list = internet_address_list_new();
    GPtrArray *flat = reader->flat;

    gmime_append_parse(list, options, value);
    flatten(flat, list);
    for (unsigned i = 0; i < flat->len; i++) {
        InternetAddress *address = g_ptr_array_index(flat, i);
        if (INTERNET_ADDRESS_IS_MAILBOX(address))
            mailbox_add(reader, (InternetAddressMailbox *)address);
        else if (internet_address_group_get_members((InternetAddressGroup *)address) != NULL)
            flatten(flat, internet_address_group_get_members((InternetAddressGroup *)address));
    }
    /* Only now, since what a name holds is evaluated by what the grammar found. */
    for (unsigned i = 0; i < flat->len; i++) {
        const char *name = internet_address_get_name(g_ptr_array_index(flat, i));
        if (name != NULL)
            scan_value(reader, name, TEXT_PROSE, &reader->named);
    }
    /* They are read again, beside their addresses. */
    reader->account.unread = false;
    g_ptr_array_set_size(flat, 0);
    g_object_unref(list);
}

/* What the readings of one header found, and where they differed, joins the recipients. */
static void join_readings(struct reader *reader, struct recipients *recipients, bool bounded, unsigned field)
{
    if (!bounded || reader->idna.exhausted || reader->exhausted)
        recipients->defects |= DEFECT_LIMIT;
    else if (reader->warned || !is_within(&reader->seen, &reader->parsed, &reader->named) ||
             !is_within(&reader->account.longer, &reader->parsed, &reader->named) ||
             !is_within(&reader->parsed, &reader->seen, &reader->account.longer))
        recipients->defects |= DEFECT_SYNTAX;
    recipients_take(recipients, &reader->seen, NULL, field);
    recipients_take(recipients, &reader->parsed, &reader->account.parts, field);
    recipients_take(recipients, &reader->named, &reader->account.parts, field);
    unsigned before = recipients->list->len;
    recipients_take(recipients, &reader->account.longer, NULL, field);
    recipients->longer += recipients->list->len - before;
    addresses_empty(&reader->account.parts);
}

/* Where addresses go that say a way. */
struct routed {
    struct reader *reader;
    struct addresses *to;
};

static void take_routed(void *data, const char *local, const char *domain)
{
    const struct routed *routed = data;
    struct reader *reader = routed->reader;

    if (reader->readings >= READINGS_LIMIT) {
        reader->exhausted = true;
        return;
    }
    reader->readings++;
    addresses_add(routed->to, address_normalise(local, strlen(local), domain, strlen(domain), &reader->idna));
}

/*
 * Reads an ordinary list, of that number of groups at most, in one pass, and counts of it what the long way
 * would; false if the list is none, or the long way would come to its limits.
 */
static bool read_at_once(struct reader *reader, const char *value, unsigned groups, bool *bounded)
{
    struct simple_list *list = &reader->simple;

    if (reader->long_way || !simple_list_read(list, value) || list->groups > groups)
        return false;
    bool decodes = list->words > 0 && reader->words <= WORDS_LIMIT;
    unsigned texts = decodes ? 2 : 1; /* of which the second is the decoded one */
    if (list->count > (READINGS_LIMIT - reader->readings) / texts ||
        reader->account.walks + texts * list->walks >= ACCOUNT_LIMIT)
        return false;
    /* The last ones may be left as they are, and hold nobody either. */
    if (decodes)
        reader->words = MIN(reader->words + list->words, WORDS_LIMIT + 1);
    *bounded = parsable_add(&reader->shown, &(struct parsable_marks){.bytes = list->bytes,
                                                                     .ats = list->count,
                                                                     .colons = list->colons,
                                                                     .separators = list->separators,
                                                                     .open = list->open}) &&
               reader->words <= WORDS_LIMIT;
    reader->readings += texts * list->count;
    reader->account.walks += texts * list->walks;
    return true;
}

static bool take_at_once(struct reader *reader, struct recipients *recipients, const char *value, unsigned field)
{
    bool bounded;

    if (!read_at_once(reader, value, G_MAXUINT, &bounded))
        return false;
    if (!bounded)
        recipients->defects |= DEFECT_LIMIT;
    for (unsigned i = 0; i < reader->simple.count; i++) {
        size_t length;
        const char *address = simple_list_normal(&reader->simple, i, &length);
        recipients_put(recipients, address, length, field);
    }
    recipients->at_once++;
    return true;
}

/* All readings of one header; `routes`: the MTA makes addresses of what says a way. */
static void read_value(struct reader *reader, struct recipients *recipients, const char *value, unsigned field,
                       bool routes)
{
    struct words words = {0};

    if (take_at_once(reader, recipients, value, field))
        return;
    bool has_words = decode_words(value, &reader->words, &words);
    const char *text = has_words ? words.mended : value;
    bool bounded = parsable_show(&reader->shown, text, strlen(text)) && reader->words <= WORDS_LIMIT;
    reader->warned = false;
    if (routes)
        route_list(value, take_routed, &(struct routed){reader, &reader->seen});
    /* Without an `@` the grammar finds nobody, however many fields there are. */
    if (bounded && strchr(text, '@') != NULL)
        parse_value(reader, text);
    scan_value(reader, text, TEXT_LIST, &reader->seen);
    if (has_words) {
        scan_value(reader, words.decoded, TEXT_PROSE, &reader->seen);
        scan_value(reader, words.raw, TEXT_PROSE, &reader->seen);
    }
    if (reader->account.unread)
        recipients->defects |= DEFECT_UNPARSED;
    reader->account.unread = false;
    /* Where there is no `@` there was nobody to be read: "undisclosed-recipients:;", "<>". */
    if (addresses_count(&reader->parsed) + addresses_count(&reader->seen) + addresses_count(&reader->named) +
                addresses_count(&reader->account.longer) ==
            0 &&
        strchr(has_words ? words.decoded : value, '@') != NULL)
        recipients->defects |= DEFECT_UNPARSED;
    join_readings(reader, recipients, bounded, field);
    words_clear(&words);
}

static struct recipients *recipients_new(void)
{
    struct recipients *recipients = g_new0(struct recipients, 1);

    addresses_init(&recipients->addresses);
    addresses_init(&recipients->domains);
    recipients->domains.borrows = true;
    recipients->list = g_array_new(FALSE, FALSE, sizeof(struct recipient));
    return recipients;
}

/* The authors of a From header that is an ordinary list. */
static bool take_authors_at_once(struct reader *reader, const char *value, struct addresses *all)
{
    bool bounded, added;

    /* The grammar names the members of a group after all others. */
    if (!read_at_once(reader, value, 0, &bounded))
        return false;
    for (unsigned i = 0; i < reader->simple.count; i++) {
        size_t length;
        const char *address = simple_list_normal(&reader->simple, i, &length);
        addresses_put(all, address, length, G_MAXUINT, &added);
    }
    return true;
}

static GPtrArray *read_authors(const struct message *message, bool *whole, bool long_way)
{
    GPtrArray *authors = g_ptr_array_new_with_free_func(g_free);
    struct addresses all;
    struct reader reader;

    reader_start(&reader, long_way);
    addresses_init(&all);
    for (unsigned i = 0; i < message->headers->len && addresses_count(&all) <= AUTHORS_LIMIT; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        const char *value = header->value;
        struct words words = {0};
        if (g_ascii_strcasecmp(header->name, "From") != 0 || take_authors_at_once(&reader, value, &all))
            continue;
        if (decode_words(value, &reader.words, &words))
            value = words.mended;
        if (parsable_show(&reader.shown, value, strlen(value)) && reader.words <= WORDS_LIMIT)
            parse_value(&reader, value);
        /* An author is who the grammar says; only where it says nobody, who can be read. */
        if (addresses_count(&reader.parsed) == 0) {
            scan_value(&reader, value, TEXT_LIST, &reader.parsed);
            addresses_join(&reader.parsed, &reader.account.longer);
        }
        if (addresses_count(&reader.parsed) == 0 && !mta_facts(message->mta)->rewrites_routes)
            route_list(value, take_routed, &(struct routed){&reader, &reader.parsed});
        addresses_join(&all, &reader.parsed);
        addresses_empty(&reader.named);
        addresses_empty(&reader.account.longer);
        addresses_empty(&reader.account.parts);
        words_clear(&words);
    }
    if (whole != NULL)
        *whole = addresses_count(&all) <= AUTHORS_LIMIT && reader.words <= WORDS_LIMIT && !reader.exhausted &&
                 !reader.idna.exhausted;
    for (unsigned i = 0; i < MIN(addresses_count(&all), AUTHORS_LIMIT); i++)
        g_ptr_array_add(authors, g_strdup(addresses_get(&all, i)));
    addresses_clear(&all);
    reader_end(&reader);
    return authors;
}

/* The author of a message among those who are in From, or NULL: nobody is there. */
static char *find_author(const struct message *message, const struct recipients *from, bool long_way)
{
    g_autoptr(GPtrArray) authors = read_authors(message, NULL, long_way);

    for (unsigned i = authors->len; i-- > 0;)
        if (addresses_find(&from->addresses, g_ptr_array_index(authors, i)) < 0)
            g_ptr_array_remove_index(authors, i);
    if (authors->len > 0)
        return g_strdup(from_author(message, authors));
    return from->list->len > 0 ? g_strdup(recipients_get(from, 0)->address) : NULL;
}

/* Whoever is in From and not the author; `places`: how many there can be. */
static void read_from(struct reader *reader, struct recipients *recipients, const struct message *message,
                      unsigned places)
{
    auto_free(recipients) from = recipients_new();

    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        if (field_of(header->name) != FIELD_FROM)
            continue;
        read_value(reader, from, header->value, FIELD_FROM, !mta_facts(message->mta)->rewrites_routes);
        if (header_was_cut(message, header->value))
            recipients->defects |= DEFECT_CUT;
    }
    g_autofree char *author = find_author(message, from, reader->long_way);
    unsigned read = 0;
    for (unsigned i = 0; i < from->list->len; i++) {
        const char *address = recipients_get(from, i)->address;
        read += from_counts(address);
        if (from_counts(address) && strcmp(address, author) != 0)
            recipients_put(recipients, address, strlen(address), FIELD_FROM);
    }
    recipients->defects |= from->defects & DEFECT_LIMIT;
    if (places > read + FROM_UNREAD_ALLOWED)
        recipients->defects |= from->defects & DEFECT_UNPARSED;
    recipients->longer += from->longer;
    recipients->at_once += from->at_once;
}

static struct recipients *read_message(const struct message *message, bool long_way)
{
    struct recipients *recipients = recipients_new();
    unsigned places = from_places(message);
    struct reader reader;

    if (message->overflow)
        recipients->defects |= DEFECT_LIMIT;
    reader_start(&reader, long_way);
    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        unsigned field = field_of(header->name);
        if (field == 0 || field == FIELD_FROM)
            continue;
        read_value(&reader, recipients, header->value, field, !mta_facts(message->mta)->rewrites_routes);
        if (header_was_cut(message, header->value))
            recipients->defects |= DEFECT_CUT;
    }
    if (places > 1)
        read_from(&reader, recipients, message, places);
    reader_end(&reader);
    return recipients;
}

struct recipients *recipients_read(const struct message *message)
{
    return read_message(message, false);
}

struct recipients *recipients_read_long(const struct message *message)
{
    return read_message(message, true);
}

void recipients_free(struct recipients *recipients)
{
    addresses_clear(&recipients->domains);
    addresses_clear(&recipients->addresses);
    g_array_unref(recipients->list);
    g_free(recipients);
}

unsigned recipients_count(const struct recipients *recipients)
{
    return recipients->list->len;
}

const struct recipient *recipients_get(const struct recipients *recipients, unsigned index)
{
    return &g_array_index(recipients->list, struct recipient, index);
}

unsigned recipients_find(const struct recipients *recipients, const char *address)
{
    int place = addresses_find(&recipients->addresses, address);

    return place < 0 ? 0 : recipients_get(recipients, (unsigned)place)->fields;
}

unsigned recipients_longer(const struct recipients *recipients)
{
    return recipients->longer;
}

unsigned recipients_at_once(const struct recipients *recipients)
{
    return recipients->at_once;
}

unsigned recipients_domains(const struct recipients *recipients)
{
    return addresses_count(&recipients->domains);
}

unsigned recipients_defects(const struct recipients *recipients)
{
    return recipients->defects;
}

GPtrArray *recipients_authors(const struct message *message, bool *whole)
{
    return read_authors(message, whole, false);
}

GPtrArray *recipients_authors_long(const struct message *message, bool *whole)
{
    return read_authors(message, whole, true);
}

char *recipients_library_version(void)
{
    return g_strdup_printf("%u.%u.%u", gmime_major_version, gmime_minor_version, gmime_micro_version);
}
