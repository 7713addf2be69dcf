/* conditions - see conditions.h */

#include "policy/conditions/conditions.h"

#include "policy/conditions/condition_count.h"
#include "policy/conditions/condition_flag.h"
#include "policy/conditions/condition_header.h"
#include "policy/conditions/condition_opaque.h"
#include "policy/conditions/condition_subject.h"
#include "policy/syntax/vocabulary.h"

const struct condition_kind *const condition_kinds[] = {
    &condition_count,  &condition_subject, &condition_header, &condition_flag,
    &condition_opaque, &condition_window,  &condition_inside, NULL,
};

const struct condition_kind *condition_find(const char *word, unsigned *index)
{
    for (const struct condition_kind *const *kind = condition_kinds; *kind != NULL; kind++) {
        int found = language_word((*kind)->words, word);
        if (found >= 0) {
            *index = (unsigned)found;
            return *kind;
        }
    }
    return NULL;
}
