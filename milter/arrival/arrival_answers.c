/* arrival_answers - see arrival_answers.h */

#include "milter/arrival/arrival_answers.h"

#include <string.h>

bool arrival_answers_take(struct arrival_answers *answers, const struct review *review, const struct arrival_room *room,
                          struct arrival *arrival, const char *recipient)
{
    const struct answer_address answer = answer_address_read(review, recipient);

    answers->recipients++;
    if (answer_is_decision(answer.kind)) {
        answers->decision = answer;
        return true;
    }
    if (answer.kind != ANSWER_OVERRIDE)
        return false;
    if (answers->overrides == NULL) {
        answers->overrides = g_ptr_array_new_with_free_func(g_free);
        answers->code.code = answer.code;
        message_set_answer(arrival->message, recipient);
    } else if (answers->code.code != answer.code) {
        answers->code.code = 0; /* of two refusals there is no knowing which is meant */
    }
    if (arrival_take(room, arrival, strlen(recipient))) /* each is removed as it is written */
        g_ptr_array_add(answers->overrides, g_strdup(recipient));
    return true;
}

void arrival_answers_clear(struct arrival_answers *answers)
{
    g_clear_pointer(&answers->overrides, g_ptr_array_unref);
    *answers = (struct arrival_answers){.decision = {.kind = ANSWER_NONE}};
}
