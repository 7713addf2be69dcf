/* identities - see identities.h */

#include "milter/review/identities.h"

#include "policy/address/address.h"
#include "policy/base/source.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one login has. */
struct person {
    size_t offset;         /* of its line */
    GHashTable *addresses; /* normalised */
    GHashTable *users;     /* in lower case */
};

struct identities {
    GHashTable *people; /* login: struct person */
};

static void person_free(gpointer data)
{
    struct person *person = data;
    g_hash_table_unref(person->addresses);
    g_hash_table_unref(person->users);
    g_free(person);
}

static GHashTable *set_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void read_item(const struct source *source, size_t offset, struct person *person, const char *item,
                      struct diags *diags)
{
    if (g_str_has_prefix(item, IDENTITIES_USER) && item[sizeof IDENTITIES_USER - 1] != '\0') {
        g_hash_table_add(person->users, g_utf8_strdown(item + sizeof IDENTITIES_USER - 1, -1));
        return;
    }
    g_autofree char *address = address_normalise_text(item);
    if (address == NULL || address_domain(address) == NULL) {
        source_diag(source, offset, diags, DIAG_ERROR, "expected an address or `user:NAME`, not `%s`", item);
        return;
    }
    g_hash_table_add(person->addresses, g_steal_pointer(&address));
}

/* The next word of a line from `at` on, or NULL at its end or a comment; `at` moves after it. */
static char *next_word(const char *text, size_t end, size_t *at, size_t *offset)
{
    while (*at < end && g_ascii_isspace(text[*at]))
        (*at)++;
    *offset = *at;
    while (*at < end && text[*offset] != '#' && !g_ascii_isspace(text[*at]))
        (*at)++;
    return *at == *offset ? NULL : g_strndup(text + *offset, *at - *offset);
}

static void read_items(const struct source *source, size_t at, size_t end, struct person *person, struct diags *diags)
{
    size_t offset;
    bool any = false;
    for (char *word; (word = next_word(source->text, end, &at, &offset)) != NULL; g_free(word), any = true)
        read_item(source, offset, person, word, diags);
    if (!any)
        source_diag(source, person->offset, diags, DIAG_ERROR, "expected addresses or `user:NAME` after the colon");
}

static void read_line(struct identities *identities, const struct source *source, size_t start, size_t end,
                      struct diags *diags)
{
    const char *text = source->text;
    while (start < end && g_ascii_isspace(text[start]))
        start++;
    if (start == end || text[start] == '#')
        return;
    const char *colon = memchr(text + start, ':', end - start);
    g_autofree char *login = colon == NULL ? NULL : g_strndup(text + start, (size_t)(colon - text) - start);
    if (login == NULL || login[0] == '\0' || strpbrk(login, " \t@") != NULL) {
        source_diag(source, start, diags, DIAG_ERROR, "expected `LOGIN: ADDRESS...`, such as `ann: ann@corp.example`");
        return;
    }
    const struct person *first = g_hash_table_lookup(identities->people, login);
    if (first != NULL) {
        source_diag(source, start, diags, DIAG_ERROR, "the login `%s` is in line %u already", login,
                    source_line(source, first->offset));
        return;
    }
    struct person *person = g_new(struct person, 1);
    *person = (struct person){.offset = start, .addresses = set_new(), .users = set_new()};
    g_hash_table_insert(identities->people, g_steal_pointer(&login), person);
    read_items(source, (size_t)(colon - text) + 1, end, person, diags);
}

static struct identities *read_source(const struct source *source, struct diags *diags)
{
    auto_free(identities) identities = g_new(struct identities, 1);
    identities->people = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, person_free);
    unsigned before = diags_errors(diags);
    for (size_t offset = 0; offset < source->length;) {
        const char *newline = memchr(source->text + offset, '\n', source->length - offset);
        size_t end = newline == NULL ? source->length : (size_t)(newline - source->text);
        read_line(identities, source, offset, end, diags);
        offset = end + 1;
    }
    return diags_errors(diags) == before ? g_steal_pointer(&identities) : NULL;
}

struct identities *identities_parse(const char *path, const char *text, size_t length, struct diags *diags)
{
    auto_free(source) source = source_from_memory(path, text, length, diags);
    return source == NULL ? NULL : read_source(source, diags);
}

/* Who may write it decides who may approve what. */
static bool is_safe(const char *path, struct diags *diags)
{
    struct stat status;
    if (stat(path, &status) == -1) /* the reader says what is wrong */
        return true;
    if ((status.st_uid == 0 || status.st_uid == geteuid()) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return true;
    diags_file_error(diags, path, "others than root may write it; expected owner root and mode 0644");
    return false;
}

struct identities *identities_load(const char *path, struct diags *diags)
{
    if (!is_safe(path, diags))
        return NULL;
    auto_free(source) source = source_read(path, "identities", IDENTITIES_SIZE_LIMIT, diags);
    return source == NULL ? NULL : read_source(source, diags);
}

void identities_free(struct identities *identities)
{
    if (identities == NULL)
        return;
    g_hash_table_unref(identities->people);
    g_free(identities);
}

bool identities_known(const struct identities *identities, const char *login)
{
    return identities != NULL && g_hash_table_contains(identities->people, login);
}

bool identities_own_address(const struct identities *identities, const char *login, const char *address)
{
    const struct person *person = identities == NULL ? NULL : g_hash_table_lookup(identities->people, login);
    if (person == NULL || address == NULL || address[0] == '\0')
        return false;
    g_autofree char *normal = address_normalise_envelope(address);
    return normal != NULL && g_hash_table_contains(person->addresses, normal);
}

bool identities_own_user(const struct identities *identities, const char *login, const char *user)
{
    if (user == NULL || user[0] == '\0')
        return false;
    g_autofree char *valid = g_utf8_make_valid(user, -1);
    g_autofree char *lower = g_utf8_strdown(valid, -1);
    g_autofree char *same = g_utf8_strdown(login, -1);
    if (strcmp(lower, same) == 0)
        return true;
    const struct person *person = identities == NULL ? NULL : g_hash_table_lookup(identities->people, login);
    return person != NULL && g_hash_table_contains(person->users, lower);
}

const char *identities_login_of(const struct identities *identities, const char *user)
{
    GHashTableIter all;
    gpointer login, person;
    const char *found = NULL;
    g_autofree char *valid = g_utf8_make_valid(user, -1);
    g_autofree char *lower = g_utf8_strdown(valid, -1);
    g_hash_table_iter_init(&all, identities->people);
    while (g_hash_table_iter_next(&all, &login, &person)) {
        if (!g_hash_table_contains(((const struct person *)person)->users, lower))
            continue;
        if (found != NULL)
            return NULL;
        found = login;
    }
    return found;
}

const char *identities_login_of_address(const struct identities *identities, const char *address)
{
    GHashTableIter all;
    gpointer login;
    const char *found = NULL;
    g_hash_table_iter_init(&all, identities->people);
    while (g_hash_table_iter_next(&all, &login, NULL)) {
        if (!identities_own_address(identities, login, address))
            continue;
        if (found != NULL)
            return NULL;
        found = login;
    }
    return found;
}
