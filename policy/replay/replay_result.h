/*
 * replay_result - the result of one message that `replay` keeps, so that
 * the message itself can be freed.  Made in any thread.
 *
 * Recipients are included only on request; otherwise it has only the parties.
 *
 * Ownership: replayed_new gives one reference; each replayed_ref needs a
 * replayed_unref.  References are counted for one thread: whoever makes one in
 * another hands it over whole.
 */
#ifndef RCPTGUARD_REPLAY_RESULT_H
#define RCPTGUARD_REPLAY_RESULT_H

#include "policy/engine/policy.h"
#include "policy/exposure/party_sums.h"
#include "policy/replay/replay_once.h"

#include <glib.h>
#include <stdbool.h>

/* What is kept of one message, whatever its size. */
#define REPLAYED_PARTIES    8u   /* parties; of more, their number */
#define REPLAYED_RECIPIENTS 20u  /* recipients, if they are asked for */
#define REPLAYED_SENDER     320u /* bytes of its sender */
#define REPLAYED_ID         250u /* bytes of its Message-ID */
#define REPLAYED_THRESHOLDS 64u  /* the first thresholds of a policy are watched */

/* The verdict of one policy.  If it is not outbound, `rule` is NULL and the message is accepted. */
struct ruling {
    enum disposition disposition;
    char *rule;
    unsigned line;
    char **would; /* as in a verdict, ended by NULL */
};

/* A threshold of the policy that the message hangs on: see struct watch. */
struct hanging {
    unsigned threshold;
    unsigned count;
};

/*
 * What is played in the order of its dates: the message itself, if a policy asks the state about it.  Its verdict is
 * that of the message alone until replayed_play.
 */
struct waiting_mail {
    struct message *message;  /* or NULL */
    struct body_parts *parts; /* of its body, if a policy asks for that; or NULL */
    gint64 time;              /* of its Date, in seconds since 1970; 0 if it has none */
};

struct replayed {
    unsigned references;
    char *file;
    unsigned index;
    char *sender;        /* normalised; "" is the null sender */
    char *id;            /* its Message-ID without the brackets; "" if there is none, or it is too long to be kept */
    char date[17];       /* "2026-11-23 18:34", as the sender's clock had it; "" if the message does not say */
    struct once_key key; /* what it is known again by; set by whoever asks for that */
    struct ruling ruling;
    struct ruling old;            /* of the policy that it is compared with, if there is one */
    unsigned counts[COUNT_KINDS]; /* of `external`, by the first policy that evaluates it; nothing if none does */
    unsigned defects;
    GArray *hanging;       /* struct hanging */
    GArray *parties;       /* struct party_sum: the largest of `external` */
    unsigned more_parties; /* how many further ones there are, and how many people in them */
    unsigned more_people;
    char **recipients; /* the first visible ones, normalised, ended by NULL; NULL if they are not asked for */
    unsigned visible;  /* how many visible recipients there are in all */
    struct waiting_mail waiting;
};

struct replayed_options {
    gint64 now;
    bool always_outbound; /* the message counts as outbound; otherwise the policy decides */
    bool recipients;      /* keep them */
    struct policy *policy;
    struct policy *against; /* or NULL */
};

/* Whether either policy asks what the bodies show, so that messages need theirs. */
bool replayed_ask_body(const struct replayed_options *options);

struct replayed *replayed_new(const struct message *message, const char *file, unsigned index,
                              const struct replayed_options *options);
struct play;

/* Evaluates a message that has waited, with what came before it at that time; `against` may be NULL. */
void replayed_play(struct replayed *replayed, const struct replayed_options *options, struct play *play,
                   struct play *against, gint64 time);

struct replayed *replayed_ref(struct replayed *replayed);
void replayed_unref(struct replayed *replayed);

/* Whether two policies treat the message differently: another verdict, or the same by another rule. */
bool replayed_changed(const struct replayed *replayed);

#endif
