/* parse_action - see parse_action.h */

#include "policy/language/parse_action.h"

#include "policy/syntax/vocabulary.h"

#include <string.h>

/* Bounds of times, in seconds. */
#define TIME_LEAST   10u
#define TIME_MOST    (24u * 60 * 60)
#define EXPIRE_LEAST (24u * 60 * 60)
#define EXPIRE_MOST  (400u * 24 * 60 * 60)

/* What may be after the text of a quarantine or a reject, in this order; nothing may after other actions. */
static const char *const held_words[] = {"approvals", "release", "expire", NULL};
static const char *const refused_words[] = {"override", NULL};

const char *const *parser_action_words(const struct action *action)
{
    if (action->text == NULL)
        return NULL;
    return action->disposition == DISPOSITION_QUARANTINE ? held_words
           : action->disposition == DISPOSITION_REJECT   ? refused_words
                                                         : NULL;
}

/* After the text of a quarantine: how many reviewers have to agree to a release. */
static bool parse_approvals(struct parser *parser, struct action *action)
{
    if (!parser_is_word(parser, "approvals"))
        return true;
    if (action->disposition != DISPOSITION_QUARANTINE)
        return parser_fail_at(parser, parser->token.offset,
                              "`approvals` belongs to `quarantine`: only what is held is released");
    parser_advance(parser);
    if (!parser_is(parser, TOKEN_NUMBER))
        return parser_fail_expected(parser, "1 or 2 (reviewers who have to agree to a release)", NULL);
    if (strcmp(parser->token.value, "1") != 0 && strcmp(parser->token.value, "2") != 0)
        parser_fail_at(parser, parser->token.offset, "expected 1 or 2: how many reviewers have to agree to a release");
    action->approvals = parser->token.value[0] == '2' ? 2 : 1;
    parser_advance(parser);
    return true;
}

const char **words_with_dispositions(const char *first, const char *second)
{
    const char **words = g_new(const char *, DISPOSITIONS + 3);

    words[0] = first;
    words[1] = second;
    memcpy(words + 2, disposition_names, (DISPOSITIONS + 1) * sizeof *words);
    return words;
}

bool parser_fail_action(struct parser *parser, const char *lead, const char *const *words)
{
    g_autoptr(GString) expected = g_string_new(lead);

    for (unsigned i = 0; i < DISPOSITIONS; i++)
        g_string_append_printf(expected, "%s`%s`",
                               i == 0                 ? ""
                               : i + 1 < DISPOSITIONS ? ", "
                                                      : " or ",
                               disposition_names[i]);
    return parser_fail_expected(parser, expected->str, words);
}

bool parser_disposition(struct parser *parser, enum disposition *disposition)
{
    int word = parser_is(parser, TOKEN_NAME) ? language_word(disposition_names, parser->token.value) : -1;

    if (word < 0)
        return parser_fail_action(parser, "", disposition_names);
    *disposition = (enum disposition)word;
    parser_advance(parser);
    return true;
}

/* `by sender`, `by sender with reason` or `after DURATION`. */
static bool parse_release(struct parser *parser, struct action *action)
{
    static const char *const words[] = {"by", "after", NULL};

    action->release_offset = parser->token.offset;
    parser_advance(parser);
    if (parser_skip_word(parser, "after")) {
        if (!parser_take_duration(parser, TIME_LEAST, TIME_MOST, "10m", &action->release_after))
            return false;
        action->release = RELEASE_AFTER;
        return true;
    }
    if (!parser_is_word(parser, "by"))
        return parser_fail_expected(parser, "`by sender` or `after` and a time", words);
    parser_advance(parser);
    if (!parser_take_word(parser, "sender"))
        return false;
    action->release = RELEASE_BY_SENDER;
    if (!parser_skip_word(parser, "with"))
        return true;
    action->release = RELEASE_BY_SENDER_WITH_REASON;
    return parser_take_word(parser, "reason");
}

/* A time, and `return` or `delete`. */
static bool parse_expire(struct parser *parser, struct action *action)
{
    static const char *const words[] = {"return", "delete", NULL};

    parser_advance(parser);
    if (!parser_take_duration(parser, EXPIRE_LEAST, EXPIRE_MOST, "3d", &action->expire_after))
        return false;
    if (!parser_is_one_of(parser, words))
        return parser_fail_expected(parser, "`return` or `delete`: what is done with it then", words);
    action->expire = parser_is_word(parser, "return") ? EXPIRE_RETURN : EXPIRE_DELETE;
    parser_advance(parser);
    return true;
}

static bool parse_override(struct parser *parser, struct action *action)
{
    const size_t offset = parser->token.offset;

    parser_advance(parser);
    if (!parser_take_duration(parser, TIME_LEAST, TIME_MOST, "15m", &action->override))
        return false;
    action->override.offset = offset;
    return true;
}

/* A word that is not where it belongs: after another action, or after a word that it comes before. */
static bool refuse_misplaced(struct parser *parser, const struct action *action)
{
    const bool held = action->disposition == DISPOSITION_QUARANTINE;
    const size_t offset = parser->token.offset;

    if (action->disposition != DISPOSITION_REJECT && parser_is_word(parser, "override"))
        return parser_fail_at(parser, offset, "`override` belongs to `reject`: only what is refused is sent again");
    if (!held && parser_is_one_of(parser, held_words))
        return parser_fail_at(parser, offset, "`%s` belongs to `quarantine`: only what is held is released, or expires",
                              parser->token.value);
    if (held && parser_is_one_of(parser, held_words))
        return parser_fail_at(parser, offset,
                              "`%s` is in the wrong place; the order is `approvals`, `release`, `expire`",
                              parser->token.value);
    return true;
}

/* What comes after the text. */
static bool parse_terms(struct parser *parser, struct action *action)
{
    const bool held = action->disposition == DISPOSITION_QUARANTINE;

    if (!parse_approvals(parser, action))
        return false;
    if (held && parser_is_word(parser, "release") && !parse_release(parser, action))
        return false;
    if (held && parser_is_word(parser, "expire") && !parse_expire(parser, action))
        return false;
    if (action->disposition == DISPOSITION_REJECT && parser_is_word(parser, "override") &&
        !parse_override(parser, action))
        return false;
    return refuse_misplaced(parser, action);
}

bool parser_expected_terms(struct parser *parser, struct expect *expect)
{
    expect->terms.disposition = expect->disposition;
    if (expect->disposition == DISPOSITION_REJECT && parser_skip_word(parser, "override"))
        expect->overridable = true;
    if (expect->disposition == DISPOSITION_QUARANTINE && parser_is_word(parser, "release") &&
        !parse_release(parser, &expect->terms))
        return false;
    if (expect->disposition == DISPOSITION_QUARANTINE && parser_is_word(parser, "expire") &&
        !parse_expire(parser, &expect->terms))
        return false;
    return refuse_misplaced(parser, &expect->terms);
}

bool parser_action(struct parser *parser, struct action *action)
{
    if (!parser_disposition(parser, &action->disposition))
        return false;
    action->approvals = action->disposition == DISPOSITION_QUARANTINE ? 1 : 0;
    if (action->disposition == DISPOSITION_ACCEPT)
        return true;
    return parser_take_string(parser, "a text in double quotes", &action->text) && parse_terms(parser, action);
}
