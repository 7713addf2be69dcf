/*
 * answer_text - the part of a mail of ours that has the addresses to answer to.
 *
 * They are in the text alone: what a bounce, an automatic answer or a reply goes to is none of them.
 *
 * Ownership: texts are for g_free.
 */
#ifndef RCPTGUARD_ANSWER_TEXT_H
#define RCPTGUARD_ANSWER_TEXT_H

#include "milter/answers/answer_decision.h"

/* For the notice to an author: of each row (struct ledger_row *) that he may decide about, or stop.  "" if there is
 * none.
 */
char *answer_text_sender(const struct answer_site *site, const GPtrArray *rows);

/* For the digest to a reviewer: of one row; `actions` are bits 1 << enum ledger_action, those that he may do. */
char *answer_text_reviewer(const struct answer_site *site, const struct ledger_row *row, const char *login,
                           unsigned actions);

#endif
