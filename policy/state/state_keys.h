/*
 * state_keys - the hashes that a state keeps: HMAC-SHA256 under a key of the site, 8 bytes of it.  The only
 * place that makes them, for what evaluates a message and for what has to forget somebody.
 *
 * Ownership: free a key with state_key_free, strings with g_free.
 */
#ifndef RCPTGUARD_STATE_KEYS_H
#define RCPTGUARD_STATE_KEYS_H

#include "policy/base/cleanup.h"
#include "policy/message/message.h"
#include "policy/state/state.h"

/* Bytes of a key that is made for a site. */
#define STATE_KEY_SIZE 32u

/* A copy of the key's bytes; wiped when it is freed. */
struct state_key *state_key_new(const void *bytes, size_t size);
void state_key_free(struct state_key *key);
AUTO_FREE_DEFINE(state_key, state_key_free)

/* What a hash is of: one text has another hash as each of them. */
enum state_kind {
    STATE_VISIBLE, /* the address of a visible recipient, normalised */
    STATE_PARTY,   /* a registrable domain, or the address of an individual */
    STATE_DOMAIN,
    STATE_LOGIN,
    STATE_SENDER,
    STATE_CLIENT,
    STATE_SUBJECT,
    STATE_SIGNATURE,
    STATE_SCOPE,
    STATE_RECORD,
    STATE_RULE,
    STATE_PERMIT_CODE,
    STATE_MESSAGE,
};

/* Never 0. */
state_hash state_hash_text(const struct state_key *key, enum state_kind kind, const char *text);

/* The same as text, which names him: "login:ann", "sender:ann@corp.example", "client:192.0.2.1"; for g_free. */
char *state_author_text(const struct message *message);

/* The author of a message: its login; else its sender, as state_sender has it; else its client. */
state_hash state_author(const struct state_key *key, const struct message *message);

/*
 * An envelope sender as an author: normalised, without +detail, without what a mailing adds for each recipient (VERP:
 * "news-17-ann=x.example@corp.example") and without its tag of BATV ("prvs=1234abcdef=ann@corp.example").  "" is the
 * null sender.
 */
char *state_sender(const char *sender);

/* The subject of a message for `alike`, as state_subject_text has it; 0 if nothing is left of it, or it has none. */
state_hash state_subject(const struct state_key *key, const struct message *message);

/*
 * A decoded subject in the form in which letters of one mailing are the same: without "Re:", "Fwd:", "AW:" and the like
 * before it, and of the rest the letters alone (NFKC, case folded): "Part 3/20" is "part".
 */
char *state_subject_text(const char *subject);

/* The id of the record of a message: of all that tells it from another. */
state_hash state_record_id(const struct state_key *key, const struct message *message,
                           const struct state_record *record);

/* The code of a permit of a message that is refused: different for each. */
state_hash state_permit_code(const struct state_key *key, const struct message *message,
                             const struct state_permit *permit);

/*
 * What tells a message from another one: all fields of its header but those that each host adds on the way (Received,
 * Return-Path).  A program that tries again sends the same ones.
 */
state_hash state_message_id(const struct state_key *key, const struct message *message);

/* The hashes of what a person may ask to have forgotten: a GArray of state_hash, freed with it. */
GArray *state_hashes_of_party(const struct state_key *key, const char *domain);
GArray *state_hashes_of_address(const struct state_key *key, const char *address);
GArray *state_hashes_of_sender(const struct state_key *key, const char *address);

#endif
