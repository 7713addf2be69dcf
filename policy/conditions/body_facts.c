/* body_facts - see body_facts.h */

#include "policy/conditions/body_facts.h"

#include "policy/parts/named_fields.h"

unsigned body_facts_field_bit(unsigned place)
{
    return 1u << (PART_KINDS + place);
}

/* Of each header field that a rule names, who is in it. */
static GPtrArray *read_fields(const struct evaluation *evaluation)
{
    const GPtrArray *names = evaluation->policy->part_fields;
    GPtrArray *fields = g_ptr_array_new_with_free_func((GDestroyNotify)recipients_free);

    for (unsigned i = 0; i < names->len; i++) {
        const char *const name[] = {g_ptr_array_index(names, i), NULL};
        g_ptr_array_add(fields, named_fields_read(evaluation->message, name));
    }
    return fields;
}

/* The parts of the body, if a rule asks for them; false if they are not there to be read. */
static bool read_body(struct evaluation *evaluation)
{
    struct body_state *state = &evaluation->body;
    const struct message *message = evaluation->message;
    size_t length = 0;

    if (state->parts != NULL || !evaluation->policy->asks_body)
        return true;
    const char *text = message->body != NULL ? message_body_text(message->body, &length) : NULL;
    if (text == NULL)
        return false;
    const struct body_source source = {message, text, length, message_body_is_cut(message->body)};
    state->own = body_parts_read(&source);
    state->parts = state->own;
    return true;
}

const struct parts_exposure *body_facts(struct evaluation *evaluation)
{
    struct body_state *state = &evaluation->body;

    if (state->exposure != NULL || state->away)
        return state->exposure;
    state->away = !read_body(evaluation);
    if (state->away)
        return NULL;
    g_autoptr(GPtrArray) fields = read_fields(evaluation);
    const struct parts_source source = {state->parts, fields};
    state->exposure = parts_exposure_read(evaluation->policy->classes, evaluation->message, evaluation->exposure,
                                          &source, evaluation->budget);
    return state->exposure;
}
