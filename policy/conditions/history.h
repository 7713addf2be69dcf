/*
 * history - what one message asks of the state, each thing once: whether its parties are known, and the windows of
 * all rules in one call.  Private to the library.
 */
#ifndef RCPTGUARD_HISTORY_H
#define RCPTGUARD_HISTORY_H

#include "policy/conditions/condition.h"
#include "policy/state/state.h"

/* Whether it is known; no, if the state does not say. */
bool history_known(struct evaluation *evaluation);

/* A window of the policy by its index, and the classes that it counts. */
struct history_window {
    unsigned index;
    class_mask mask;
};

/* TEST_YES and the value of a window, 0 if the message is not in it; TEST_FAULT, or TEST_ERROR without the state. */
int history_window(struct evaluation *evaluation, struct history_window window, guint32 *value);

/*
 * Sees to it that the message is in the windows in which it belongs; false if the state did not take it.  One whose
 * classes could not all be found out is in them with what was found: it may be held for that, and released.
 */
bool history_record(struct evaluation *evaluation);

/* Whether it belongs in that window. */
bool history_is_in(struct evaluation *evaluation, struct history_window window);

/* "18", or "more than 10000"; to be freed with g_free. */
char *history_value_text(guint32 value);

/* What of this message can be learned: its external parties that are both visible and in the envelope. */
struct history_set {
    state_hash scope;
    GArray *parties; /* state_hash: 2 to STATE_SET_LIMIT */
};

/* NULL if there is nothing to be learned; free with history_set_free. */
struct history_set *history_learnable(struct evaluation *evaluation);
void history_set_free(struct history_set *set);

#endif
