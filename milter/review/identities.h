/*
 * identities - which mail is a reviewer's own: his addresses and SASL users, from
 * the file that `identities` in [review] names.  See rcptguardq(8).
 *
 *     ann: ann@corp.example a.lee@corp.example user:ann
 *
 * Ownership: identities_load gives them, identities_free takes them back.
 */
#ifndef RCPTGUARD_IDENTITIES_H
#define RCPTGUARD_IDENTITIES_H

#include "policy/base/cleanup.h"
#include "policy/base/diagnostics.h"

#include <stdbool.h>

/* The file's size in bytes. */
#define IDENTITIES_SIZE_LIMIT (1024u * 1024)

/* The prefix of a SASL user's name. */
#define IDENTITIES_USER "user:"

struct identities;

/* Reads the file.  NULL if there is any error; all of them are in `diags` then. */
struct identities *identities_load(const char *path, struct diags *diags);

/* The same from memory. */
struct identities *identities_parse(const char *path, const char *text, size_t length, struct diags *diags);

void identities_free(struct identities *identities);
AUTO_FREE_DEFINE(identities, identities_free)

/* Whether there is a line of that login. */
bool identities_known(const struct identities *identities, const char *login);

/* Whether an address is one of the login's; any case, in either form of its domain.  NULL and "" belong to no one. */
bool identities_own_address(const struct identities *identities, const char *login, const char *address);

/* Whether a SASL user is the login: one of those of its line, or the same name.  `identities` may be NULL. */
bool identities_own_user(const struct identities *identities, const char *login, const char *user);

/* The login of the one line that lists this address; NULL if no line does, or several do. */
const char *identities_login_of_address(const struct identities *identities, const char *address);

/* The login of the one line that lists this SASL user; NULL if no line does, or several do. */
const char *identities_login_of(const struct identities *identities, const char *user);

#endif
