/* regex_values - see regex_values.h */

#include "policy/logic/regex_values.h"

#include "policy/base/pattern.h"

#include <string.h>

/* What the characters of values are told apart by. */
enum sign {
    SIGN_AT,
    SIGN_DOT,
    SIGN_LESS,
    SIGN_GREATER,
    SIGN_LEFT,
    SIGN_RIGHT,
    SIGN_COLON,
    SIGN_BLANK,
    SIGN_DIGIT,
    SIGN_HEX, /* a to f */
    SIGN_LETTER,
    SIGN_OTHER,
    SIGNS,
};

#define ALL_SIGNS  ((1u << SIGNS) - 1)
#define BIT(state) (1u << (state))

/* Characters of each. */
static const char *const sign_characters[SIGNS] = {
    [SIGN_AT] = "@",
    [SIGN_DOT] = ".",
    [SIGN_LESS] = "<",
    [SIGN_GREATER] = ">",
    [SIGN_LEFT] = "[",
    [SIGN_RIGHT] = "]",
    [SIGN_COLON] = ":",
    [SIGN_BLANK] = " \t",
    [SIGN_DIGIT] = "0123456789",
    [SIGN_HEX] = "abcdef",
    [SIGN_LETTER] = "ghijklmnopqrstuvwxyz",
    [SIGN_OTHER] = "-_+!#$%&'*/=?^`{|}~,;()\"\\",
};

/* Steps of one walk, beyond which everything is taken to match. */
#define STEPS_LIMIT 200000u

/* More repetitions than that change no state of an automaton. */
#define REPEATS_LIMIT 64u

/* ---- domains: a part of other values too */

enum {
    DOMAIN_START,
    DOMAIN_LABEL,
    DOMAIN_DOT,
    DOMAIN_NAME,
    DOMAIN_LITERAL,
    DOMAIN_CLOSED,
    DOMAIN_STATES,
    NOWHERE = -1
};

static int step_domain(int state, enum sign sign)
{
    if (state == DOMAIN_CLOSED)
        return NOWHERE;
    if (state == DOMAIN_LITERAL)
        return sign == SIGN_AT ? NOWHERE : sign == SIGN_RIGHT ? DOMAIN_CLOSED : DOMAIN_LITERAL;
    switch (sign) {
    case SIGN_DOT:
        return state == DOMAIN_LABEL || state == DOMAIN_NAME ? DOMAIN_DOT : NOWHERE;
    case SIGN_LEFT:
        return state == DOMAIN_START ? DOMAIN_LITERAL : NOWHERE;
    case SIGN_DIGIT:
    case SIGN_HEX:
    case SIGN_LETTER:
    case SIGN_OTHER:
        return state == DOMAIN_START || state == DOMAIN_LABEL ? DOMAIN_LABEL : DOMAIN_NAME;
    default:
        return NOWHERE;
    }
}

#define DOMAIN_GOOD (BIT(DOMAIN_NAME) | BIT(DOMAIN_CLOSED))

/* ---- addresses: the domain's states come after these */

enum { ADDRESS_START, ADDRESS_LOCAL, ADDRESS_DOMAIN };

static int step_address(int state, enum sign sign)
{
    if (sign == SIGN_AT)
        return state == ADDRESS_START ? NOWHERE : ADDRESS_DOMAIN + DOMAIN_START;
    if (state < ADDRESS_DOMAIN)
        return ADDRESS_LOCAL;
    /* What is no domain may be a part of a quoted local part. */
    int next = step_domain(state - ADDRESS_DOMAIN, sign);
    return next == NOWHERE ? ADDRESS_LOCAL : ADDRESS_DOMAIN + next;
}

#define ADDRESS_GOOD (DOMAIN_GOOD << ADDRESS_DOMAIN)

/* ---- header fields with an address somewhere */

enum { FIELD_BEFORE, FIELD_WORD, FIELD_AT, FIELD_LABEL, FIELD_DOT, FIELD_ADDRESS };

static int step_addresses(int state, enum sign sign)
{
    bool word = sign == SIGN_DIGIT || sign == SIGN_HEX || sign == SIGN_LETTER || sign == SIGN_OTHER;

    if (state == FIELD_ADDRESS)
        return FIELD_ADDRESS;
    if (sign == SIGN_AT)
        return state == FIELD_BEFORE || state == FIELD_AT ? FIELD_BEFORE : FIELD_AT;
    if (state == FIELD_AT && (word || sign == SIGN_LEFT))
        return sign == SIGN_LEFT ? FIELD_ADDRESS : FIELD_LABEL;
    if (state == FIELD_LABEL && (word || sign == SIGN_DOT))
        return word ? FIELD_LABEL : FIELD_DOT;
    if (state == FIELD_DOT && word)
        return FIELD_ADDRESS;
    return word || sign == SIGN_DOT ? FIELD_WORD : FIELD_BEFORE;
}

/* ---- header fields with angle brackets */

enum { ANGLES_BEFORE, ANGLES_OPEN, ANGLES_FILLED, ANGLES_CLOSED };

static int step_angles(int state, enum sign sign)
{
    switch (state) {
    case ANGLES_BEFORE:
        return sign == SIGN_LESS ? ANGLES_OPEN : ANGLES_BEFORE;
    case ANGLES_OPEN:
        return sign == SIGN_GREATER ? ANGLES_BEFORE : ANGLES_FILLED;
    case ANGLES_FILLED:
        return sign == SIGN_GREATER ? ANGLES_CLOSED : ANGLES_FILLED;
    default: /* what follows has to end so, too */
        return sign == SIGN_BLANK || sign == SIGN_GREATER ? ANGLES_CLOSED
               : sign == SIGN_LESS                        ? ANGLES_OPEN
                                                          : ANGLES_BEFORE;
    }
}

/* ---- login names */

enum { LOGIN_START, LOGIN_NAME, LOGIN_AT, LOGIN_REALM };

static int step_login(int state, enum sign sign)
{
    if (sign == SIGN_AT)
        return state == LOGIN_START ? NOWHERE : LOGIN_AT;
    return state == LOGIN_START || state == LOGIN_NAME ? LOGIN_NAME : LOGIN_REALM;
}

/* ---- IP addresses: four groups of up to three digits; or hexadecimal digits with two colons */

#define V4_STATES 16 /* group * 4 + digits */
#define V6_START  V4_STATES
#define V6_GOOD   (V6_START + 2)

static int step_network(int state, enum sign sign)
{
    if (state >= V6_START) {
        if (sign == SIGN_COLON)
            return MIN(state + 1, V6_GOOD);
        return sign == SIGN_DIGIT || sign == SIGN_HEX || (sign == SIGN_DOT && state == V6_GOOD) ? state : NOWHERE;
    }
    if (sign == SIGN_DIGIT)
        return state % 4 < 3 ? state + 1 : NOWHERE;
    return sign == SIGN_DOT && state % 4 > 0 && state / 4 < 3 ? state - state % 4 + 4 : NOWHERE;
}

#define NETWORK_GOOD (BIT(13) | BIT(14) | BIT(15) | BIT(V6_GOOD))

/* ---- */

static const struct {
    int (*step)(int state, enum sign sign);
    unsigned start, good; /* sets of states */
} automata[] = {
    [VALUES_DOMAIN] = {step_domain, BIT(DOMAIN_START), DOMAIN_GOOD},
    [VALUES_ADDRESS] = {step_address, BIT(ADDRESS_START), ADDRESS_GOOD},
    [VALUES_SENDER] = {step_address, BIT(ADDRESS_START), ADDRESS_GOOD | BIT(ADDRESS_START)},
    [VALUES_LOGIN] = {step_login, BIT(LOGIN_START), BIT(LOGIN_NAME) | BIT(LOGIN_REALM)},
    [VALUES_NETWORK] = {step_network, BIT(0) | BIT(V6_START), NETWORK_GOOD},
    [VALUES_ADDRESSES] = {step_addresses, BIT(FIELD_BEFORE), BIT(FIELD_ADDRESS)},
    [VALUES_ANGLES] = {step_angles, BIT(ANGLES_BEFORE), BIT(ANGLES_CLOSED)},
};

/* A walk through an automaton: sets of states, a bit each. */
struct walk {
    const char *pattern;
    enum regex_values values;
    GHashTable *sets; /* struct regex_node * -> what a set can match */
    unsigned left;    /* of STEPS_LIMIT */
};

static unsigned through_branches(struct walk *walk, const GPtrArray *branches, unsigned states);

static unsigned sign_of(gunichar c)
{
    if (c >= 0x80)
        return BIT(SIGN_HEX) | BIT(SIGN_LETTER) | BIT(SIGN_OTHER);
    for (unsigned sign = 0; sign < SIGNS; sign++)
        if (c != 0 && strchr(sign_characters[sign], g_ascii_tolower((char)c)) != NULL)
            return BIT(sign);
    return BIT(SIGN_OTHER);
}

/* What a set can match: PCRE2 is asked. */
static unsigned signs_of_set(const struct walk *walk, const struct regex_node *node)
{
    g_autofree char *text = g_strndup(walk->pattern + node->offset, node->length);
    g_autofree char *message = NULL;
    size_t offset;
    struct pattern *pattern = pattern_compile(text, &offset, &message);
    struct pattern_budget *budget = pattern_budget_new();
    unsigned signs = 0;

    for (unsigned sign = 0; pattern != NULL && sign < SIGNS; sign++)
        for (const char *p = sign_characters[sign]; *p != '\0' && (signs & BIT(sign)) == 0; p++) {
            const char subject[] = {*p, '\0'};
            if (pattern_match(pattern, subject, budget) != PATTERN_NO)
                signs |= BIT(sign);
        }
    pattern_budget_free(budget);
    pattern_free(pattern);
    if (text[0] == '[' && text[1] == '^')
        signs |= BIT(SIGN_OTHER);
    /* What none of these is in has letters beyond ASCII. */
    return signs != 0 ? signs : BIT(SIGN_HEX) | BIT(SIGN_LETTER) | BIT(SIGN_OTHER);
}

static unsigned through_signs(const struct walk *walk, unsigned signs, unsigned states)
{
    unsigned next = 0;

    for (int state = 0; states >> state != 0; state++)
        for (unsigned sign = 0; (states & BIT(state)) != 0 && sign < SIGNS; sign++) {
            int reached = (signs & BIT(sign)) != 0 ? automata[walk->values].step(state, (enum sign)sign) : NOWHERE;
            if (reached != NOWHERE)
                next |= BIT(reached);
        }
    return next;
}

/* Any text at all, none included. */
static unsigned through_anything(const struct walk *walk, unsigned states)
{
    unsigned before;

    do {
        before = states;
        states |= through_signs(walk, ALL_SIGNS, states);
    } while (states != before);
    return states;
}

/* What takes no text: an anchor, a look around, an option, a comment. */
static bool takes_no_text(const char *text, size_t length)
{
    static const char *const starts[] = {"(?=", "(?!", "(?<=", "(?<!", "(?#"};

    if (length == 1)
        return text[0] == '^' || text[0] == '$';
    if (text[0] == '\\')
        return strchr("bBAzZG", text[1]) != NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(starts); i++)
        if (strncmp(text, starts[i], strlen(starts[i])) == 0)
            return true;
    return length > 3 && strncmp(text, "(?", 2) == 0 && strspn(text + 2, "imsJU^-") == length - 3;
}

static unsigned through_once(struct walk *walk, const struct regex_node *node, unsigned states)
{
    switch (node->kind) {
    case REGEX_CHARACTER:
        return through_signs(walk, sign_of(node->character), states);
    case REGEX_ANY:
        return through_signs(walk, ALL_SIGNS, states);
    case REGEX_SET:
        if (!g_hash_table_contains(walk->sets, node))
            g_hash_table_insert(walk->sets, (gpointer)node, GUINT_TO_POINTER(signs_of_set(walk, node)));
        return through_signs(walk, GPOINTER_TO_UINT(g_hash_table_lookup(walk->sets, node)), states);
    case REGEX_GROUP:
        return through_branches(walk, node->branches, states);
    case REGEX_OTHER:
        break;
    }
    return takes_no_text(walk->pattern + node->offset, node->length) ? states : through_anything(walk, states);
}

static unsigned through_node(struct walk *walk, const struct regex_node *node, unsigned states)
{
    unsigned before, more = node->most == REGEX_NO_BOUND ? G_MAXUINT : node->most - MIN(node->least, node->most);

    for (unsigned i = 0; i < MIN(node->least, REPEATS_LIMIT) && states != 0 && walk->left > 0; i++) {
        walk->left--;
        states = through_once(walk, node, states);
    }
    do {
        before = states;
        if (more == 0 || walk->left == 0)
            break;
        walk->left--;
        more--;
        states |= through_once(walk, node, states);
    } while (states != before);
    return states;
}

static unsigned through_branches(struct walk *walk, const GPtrArray *branches, unsigned states)
{
    unsigned reached = 0;

    for (unsigned i = 0; i < branches->len; i++) {
        const GPtrArray *branch = g_ptr_array_index(branches, i);
        unsigned inner = states;
        for (unsigned j = 0; inner != 0 && j < branch->len; j++)
            inner = through_node(walk, g_ptr_array_index(branch, j), inner);
        reached |= inner;
    }
    return reached;
}

/* Options that change how the text of an expression is to be read. */
static bool is_extended(const char *pattern)
{
    for (const char *p = strstr(pattern, "(?"); p != NULL; p = strstr(p + 2, "(?"))
        if (strcspn(p + 2, "xn") < strspn(p + 2, "imnsxJU^-"))
            return true;
    return false;
}

bool regex_can_match(const struct regex *regex, const char *pattern, enum regex_values values)
{
    g_autoptr(GHashTable) sets = g_hash_table_new(NULL, NULL);
    struct walk walk = {.pattern = pattern, .values = values, .sets = sets, .left = STEPS_LIMIT};

    if (values == VALUES_ANY || is_extended(pattern))
        return true;
    unsigned reached = through_branches(&walk, regex->branches, automata[values].start);
    return walk.left == 0 || (reached & automata[values].good) != 0;
}

/* ---- ends */

static bool is_open(const GPtrArray *branches, bool at_end)
{
    for (unsigned i = 0; i < branches->len; i++) {
        const GPtrArray *branch = g_ptr_array_index(branches, i);
        const struct regex_node *node =
            branch->len == 0 ? NULL : g_ptr_array_index(branch, at_end ? branch->len - 1 : 0);
        if (node == NULL)
            continue;
        if (node->kind == REGEX_GROUP ? is_open(node->branches, at_end)
                                      : node->most == REGEX_NO_BOUND &&
                                            (node->kind == REGEX_ANY || (node->kind == REGEX_SET && node->letters)))
            return true;
    }
    return false;
}

bool regex_begins_open(const struct regex *regex)
{
    return is_open(regex->branches, false);
}

bool regex_ends_open(const struct regex *regex)
{
    return is_open(regex->branches, true);
}
