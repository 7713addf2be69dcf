/* address_greedy - see address_greedy.h */

#include "policy/address/address_greedy.h"

#include <string.h>

/* Where an `@` is. */
struct surroundings {
    size_t low, high; /* the angle brackets, comment or quotes around it; else all of the text */
    size_t colon;     /* between angle brackets: the colon that ends an obsolete route, or 0 */
    bool angle;       /* between angle brackets, */
    bool quoted;      /* or in quotes: all there is one address to an MTA */
    bool prose;       /* no MTA looks for an address there: in a comment, in the name of a mailbox or a group */
};

/* What is joined on one side of an `@`, from there outwards. */
struct side {
    const struct greedy *greedy;
    const struct surroundings *place;
    GString *words; /* all that were read */
    size_t near;    /* bytes of these, next to the `@`, that belong together */
    size_t end;     /* how far they reach in the text */
    unsigned steps; /* more than GREEDY_STEPS: there is more to read */
    bool comments;  /* what is in comments is read too */
    bool found;     /* a word */
    bool far;       /* the last word that was read does not belong to those before */
    bool dot;       /* since the last word: a dot, */
    bool blank;     /* a blank, */
};

void greedy_address_init(struct greedy_address *address)
{
    *address = (struct greedy_address){
        .local = g_string_new(NULL),
        .domain = g_string_new(NULL),
        .wide_local = g_string_new(NULL),
        .wide_domain = g_string_new(NULL),
    };
}

void greedy_address_clear(struct greedy_address *address)
{
    g_string_free(address->local, TRUE);
    g_string_free(address->domain, TRUE);
    g_string_free(address->wide_local, TRUE);
    g_string_free(address->wide_domain, TRUE);
}

/* ---- the whole text */

/* Where the blanks begin that end at `i`, and where those end that begin there. */
static size_t before_blanks(const char *text, size_t i, size_t floor)
{
    while (i > floor && scan_is_blank(text[i - 1]))
        i--;
    return i;
}

static size_t over_blanks(const char *text, size_t i, size_t ceiling)
{
    while (i < ceiling && scan_is_blank(text[i]))
        i++;
    return i;
}

/* Comments are found without regard to quotes, of which one may be missing. */
static uint32_t *pair_parentheses(const char *text, size_t length)
{
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    if (memchr(text, '(', length) == NULL || length >= UINT32_MAX)
        return NULL;
    uint32_t *pairs = g_new0(uint32_t, length);
    for (uint32_t i = 0; i < length; i++) {
        if (text[i] == '\\') {
            i++;
        } else if (text[i] == '(') {
            g_array_append_val(open, i);
        } else if (text[i] == ')' && open->len > 0) {
            uint32_t start = g_array_index(open, uint32_t, open->len - 1);
            pairs[start] = i + 1;
            pairs[i] = start + 1;
            g_array_set_size(open, open->len - 1);
        }
    }
    return pairs;
}

/* The other parenthesis of a comment, or `at` itself. */
static size_t pair_of(const struct greedy *greedy, size_t at)
{
    return greedy->pairs == NULL || greedy->pairs[at] == 0 ? at : greedy->pairs[at] - 1;
}

/* The quotation mark that closes the string which begins at `open`, or `open`; then nothing closes any after it. */
static size_t closing_quote(struct greedy *greedy, size_t open)
{
    for (size_t i = open + 1; i < greedy->length && !greedy->unclosed; i++) {
        if (greedy->text[i] == '\\')
            i++;
        else if (greedy->text[i] == '"')
            return i;
    }
    greedy->unclosed = true;
    return open;
}

/* Adds the `@` from `from` to `to`. */
static void add_places(struct greedy *greedy, size_t from, size_t to, const struct surroundings *place)
{
    for (size_t i = from; i < to; i++)
        if (greedy->text[i] == '@' && greedy->places->len < GREEDY_PLACES)
            g_array_append_vals(greedy->places, place, 1);
}

/* The colon that ends an obsolete route (RFC 5322 section 4.4), which another route may follow; or 0. */
static size_t route_end(const struct greedy *greedy, size_t low, size_t high)
{
    const char *text = greedy->text;
    bool literal = false;
    size_t end = 0;

    low = over_blanks(text, low, high);
    for (size_t i = low; i < high && text[low] == '@'; i++) {
        i = text[i] == '(' ? pair_of(greedy, i) : i;
        literal = text[i] == '[' || (literal && text[i] != ']');
        if (text[i] != ':' || literal)
            continue;
        if (memchr(text + i, '@', high - i) == NULL)
            break;
        end = i;
        low = over_blanks(text, i + 1, high - 1);
    }
    return end;
}

/* A quoted string before a colon is the name of a group. */
static void close_name(struct greedy *greedy, unsigned name)
{
    for (unsigned i = name; i < greedy->places->len; i++) {
        struct surroundings *place = &g_array_index(greedy->places, struct surroundings, i);
        place->prose = place->prose || place->quoted;
    }
}

static bool is_separator(char c)
{
    return c == ',' || c == ';';
}

/* Whether an item can end before `i`. */
static bool ends_item(const struct greedy *greedy, size_t i)
{
    return i >= greedy->length || scan_is_blank(greedy->text[i]) || is_separator(greedy->text[i]) ||
           greedy->text[i] == '(';
}

/* At the `>` that ends what began at `low`: its `@` come from `inner` on, those of the display name from `name` on. */
static void close_angle(struct greedy *greedy, size_t low, size_t high, unsigned name, unsigned inner)
{
    size_t colon = route_end(greedy, low, high);

    for (unsigned i = name; i < greedy->places->len; i++) {
        struct surroundings *place = &g_array_index(greedy->places, struct surroundings, i);
        if (i >= inner && !place->prose && !place->quoted)
            *place = (struct surroundings){.low = low, .high = high, .colon = colon, .angle = true};
        /* What is before brackets without an address is no name of one. */
        place->prose = place->prose || (i < inner && inner < greedy->places->len);
    }
}

/* Reads a comment or a quoted string, if one begins at `i`; where it ends. */
static size_t find_enclosed(struct greedy *greedy, size_t i)
{
    bool quoted = greedy->text[i] == '"';
    size_t close = quoted ? closing_quote(greedy, i) : pair_of(greedy, i);

    add_places(
        greedy, i + 1, close,
        &(struct surroundings){.low = i + 1, .high = close, .quoted = quoted, .prose = !quoted || greedy->prose});
    return close;
}

static void find_places(struct greedy *greedy)
{
    const char *text = greedy->text;
    size_t low = 0;               /* after the `<` that is open, or 0 */
    unsigned name = 0, inner = 0; /* the first `@` of this item, and after the `<` */

    greedy->places = g_array_new(FALSE, FALSE, sizeof(struct surroundings));
    greedy->pairs = pair_parentheses(text, greedy->length);
    for (size_t i = 0; i < greedy->length && greedy->places->len < GREEDY_PLACES; i++) {
        char c = text[i];
        if (c == '\\') {
            /* What it escapes is no mark; an `@` is one all the same. */
            i += i + 1 < greedy->length && text[i + 1] != '@';
        } else if (c == '@') {
            add_places(greedy, i, i + 1, &(struct surroundings){.high = greedy->length, .prose = greedy->prose});
        } else if (c == '(' || c == '"') {
            i = find_enclosed(greedy, i);
        } else if (low == 0 && c == '<') { /* within others it is no more than a sign */
            low = i + 1;
            inner = greedy->places->len;
        } else if (low == 0 && (is_separator(c) || c == ':')) {
            if (c == ':')
                close_name(greedy, name);
            name = greedy->places->len;
        } else if (low > 0 && c == '>' && ends_item(greedy, i + 1)) {
            close_angle(greedy, low, i, name, inner);
            low = 0;
            name = greedy->places->len;
        }
    }
}

static const struct surroundings *find_place(struct greedy *greedy, unsigned number)
{
    if (greedy->places == NULL)
        find_places(greedy);
    return &g_array_index(greedy->places, struct surroundings, number);
}

void greedy_start(struct greedy *greedy, const char *text, size_t length, bool prose)
{
    *greedy = (struct greedy){.text = text, .length = length, .prose = prose};
    greedy->quotes = memchr(text, '"', length) != NULL;
    greedy->angles = memchr(text, '<', length) != NULL;
}

void greedy_end(struct greedy *greedy)
{
    g_free(greedy->pairs);
    if (greedy->places != NULL)
        g_array_unref(greedy->places);
}

/* ---- words */

static bool has_letter(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (g_ascii_isalnum(text[i]) || (unsigned char)text[i] >= 0x80)
            return true;
    return false;
}

/* Appends text without the quotation marks, and without the backslashes that escape. */
static void append_unquoted(GString *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool escapes = text[i] == '\\' && i + 1 < length;
        i += escapes;
        if (escapes || text[i] != '"')
            g_string_append_c(out, text[i] == SCAN_PARTED ? ' ' : text[i]);
    }
}

/* As a quoted string: what needs no quotes loses them when it is normalised. */
static void quote(GString *local)
{
    for (gsize i = 0; i < local->len; i++)
        if (strchr("\"\\", local->str[i]) != NULL)
            g_string_insert_c(local, (gssize)i++, '\\');
    g_string_prepend_c(local, '"');
    g_string_append_c(local, '"');
}

/* Whether a word that is read now belongs to those before; `near`: nothing else speaks against it. */
static void join(struct side *side, bool near, size_t end)
{
    side->far = side->far || (side->found && !near);
    side->found = true;
    side->dot = side->blank = false;
    if (!side->far) {
        side->near = side->words->len;
        side->end = end;
    }
}

/* Whether a domain can end there for a person: it has a dot, or is a literal. */
static bool ends_domain(const char *domain, size_t length)
{
    return memchr(domain, '.', length) != NULL || (length > 0 && domain[0] == '[' && domain[length - 1] == ']');
}

/* Whether nobody reads on over this sign. */
static bool stops(const struct side *side, char c)
{
    return c == '@' || (is_separator(c) && !side->place->angle && !side->place->quoted);
}

/* Reads over a sign that is no part of a word. */
static void pass(struct side *side, char c)
{
    side->blank = side->blank || scan_is_blank(c);
    side->far = side->far || (side->found && (is_separator(c) || c == ':'));
}

/* ---- to the left */

/* The quotation mark that opens the string which ends at `close`, in which there is no `@`; or `close`. */
static size_t opening_quote(const struct side *side, size_t floor, size_t close)
{
    const char *text = side->greedy->text;
    size_t limit = close - floor > GREEDY_STEPS ? close - GREEDY_STEPS : floor;

    for (size_t i = close; i-- > limit && text[i] != '@';)
        if (text[i] == '"' && (i == 0 || text[i - 1] != '\\'))
            return i;
    return close;
}

/* Reads the word, or the quoted string, that ends at `end`; returns where it begins. */
static size_t word_left(struct side *side, size_t start, size_t end)
{
    const char *text = side->greedy->text;
    g_autoptr(GString) word = g_string_new(NULL);
    /* In "write to Dr. ann@x.example", Dr. is none of it. */
    bool dot = text[end - 1] == '.' && !(side->place->prose && side->blank);

    append_unquoted(word, text + start, end - start);
    if (strspn(word->str, " ") == word->len)
        return start;
    g_string_prepend_len(side->words, word->str, (gssize)word->len);
    bool dots = strspn(word->str, ".") == word->len;
    /* Signs alone make no word. */
    if (!dots && (side->found || has_letter(word->str, word->len)))
        join(side, side->dot || dot || !side->blank, start);
    side->dot = side->dot || text[start] == '.';
    return start;
}

/* Reads outwards from `start`, up to a sign that no reader passes. */
static void read_left(struct side *side, size_t start, size_t floor)
{
    const struct greedy *greedy = side->greedy;
    const char *text = greedy->text;

    for (size_t i = start; i > floor && side->steps <= GREEDY_STEPS;) {
        char c = text[i - 1];
        size_t next = i - 1;
        if (scan_is_local(c)) {
            while (next > floor && i - next <= GREEDY_STEPS && scan_is_local(text[next - 1]))
                next--;
            next = word_left(side, next, i);
        } else if (c == '"') {
            next = opening_quote(side, floor, i - 1);
            if (next < i - 1)
                word_left(side, next, i);
        } else if (c == ')' && !side->comments && pair_of(greedy, i - 1) < i - 1) {
            next = pair_of(greedy, i - 1);
            /* People in a comment are read there. */
            floor = next < floor ? side->place->low : floor;
            i = MAX(next, floor);
            side->steps++;
            continue;
        } else if (stops(side, c) ||
                   (c == ':' && side->found && (!side->place->angle || i - 1 <= side->place->colon))) {
            /* Between angle brackets a colon is part of an address, unless it ends a route. */
            return;
        } else {
            pass(side, c);
        }
        side->steps += (unsigned)(i - next);
        i = next;
    }
}

/* ---- to the right */

/* Reads the word from `start` to `end`. */
static void word_right(struct side *side, size_t start, size_t end)
{
    const char *text = side->greedy->text;
    bool dots = strspn(text + start, ".") >= end - start;
    bool domain = true;
    bool dotted = ends_domain(side->words->str, side->near);

    /* Signs alone make no word. */
    if (!dots && !has_letter(text + start, end - start))
        return;
    for (size_t i = start; i < end; i++)
        domain = domain && scan_is_domain(text[i]);
    side->dot = side->dot || text[start] == '.';
    g_string_append_len(side->words, text + start, (gssize)(end - start));
    /* Where a domain can end, only a dot makes a person or an MTA read on. */
    if (!dots)
        join(side, domain && (side->dot || (!side->blank && !dotted)), end);
    /* "Lunch @ noon. Bring cake." */
    side->dot = side->dot || (text[end - 1] == '.' && !(side->place->prose && !dots));
}

/* The end of the domain literal at `start`, or `start`. */
static size_t literal_right(const struct greedy *greedy, size_t start, size_t ceiling)
{
    size_t i = start + 1;

    while (i < ceiling && i - start < GREEDY_STEPS && strchr("],;@<>", greedy->text[i]) == NULL)
        i++;
    return i < ceiling && greedy->text[i] == ']' ? i + 1 : start;
}

/* Whether what ends there is the local part of another `@`. */
static bool is_before_at(const char *text, size_t end, size_t ceiling)
{
    end = over_blanks(text, end, ceiling);
    return end < ceiling && text[end] == '@';
}

/* Reads outwards from `start`, up to a sign that no reader passes. */
static void read_right(struct side *side, size_t start, size_t ceiling)
{
    const struct greedy *greedy = side->greedy;
    const char *text = greedy->text;

    for (size_t i = start; i < ceiling && side->steps <= GREEDY_STEPS;) {
        char c = text[i];
        size_t next = i + 1;
        if (scan_is_local(c)) {
            while (next < ceiling && next - i <= GREEDY_STEPS && scan_is_local(text[next]) &&
                   (scan_is_domain(text[next]) || !scan_is_domain(c)))
                next++;
            if (side->found && is_before_at(text, next, ceiling))
                return;
            word_right(side, i, next);
        } else if (c == '[' && !side->found && literal_right(greedy, i, ceiling) > i) {
            next = literal_right(greedy, i, ceiling);
            g_string_append_len(side->words, text + i, (gssize)(next - i));
            join(side, true, next);
        } else if (c == '(' && pair_of(greedy, i) > i) {
            i = pair_of(greedy, i) + 1;
            side->steps++;
            continue;
        } else if (stops(side, c) || (c == '>' && side->found && ends_item(greedy, next))) {
            return;
        } else {
            pass(side, c);
        }
        side->steps += (unsigned)(next - i);
        i = next;
    }
}

/* ---- both sides */

/*
 * Whether there is nothing beside the address of a hit that could be a part of it, and
 * what encloses it is plain to see.
 */
static bool stands_alone(struct greedy *greedy, const struct greedy_at *at, const struct scan_hit *hit)
{
    const char *text = greedy->text;
    size_t before = before_blanks(text, hit->wide, at->floor), after = over_blanks(text, hit->end, greedy->length);

    if (hit->wide != hit->tight)
        return false;
    bool angle = before > 0 && text[before - 1] == '<' &&
                 memchr(text + at->floor, '<', before - MIN(at->floor, before - 1) - 1) == NULL &&
                 after < greedy->length && text[after] == '>' && ends_item(greedy, after + 1);
    bool bare =
        (before == 0 || is_separator(text[before - 1])) && (after == greedy->length || is_separator(text[after]));
    if (!angle && !bare)
        return false;
    if (!greedy->quotes && (angle || !greedy->angles))
        return true;
    const struct surroundings *place = find_place(greedy, at->number);
    return !place->quoted && (angle || !place->angle);
}

/* Reads both sides: beyond the comment, or the quotes, in which the `@` is, where there is nothing else. */
static void read_sides(struct side *left, size_t start, size_t floor, struct side *right, size_t end)
{
    const struct surroundings *place = left->place;

    read_left(left, start, MAX(floor, place->low));
    /* Where comments are all that there is, they are read: `(ann)@x.example`. */
    if (!left->found) {
        left->comments = true;
        g_string_truncate(left->words, 0);
        read_left(left, start, place->angle ? MAX(floor, place->low) : floor);
    }
    /* Unless that is all that there is. */
    if (!left->found && left->words->len > 0)
        join(left, true, left->end);
    read_right(right, end, place->high);
    if (!right->found && !place->angle)
        read_right(right, place->high, left->greedy->length);
}

/* After all the `@` that are one, and blanks. */
static size_t after_ats(const char *text, size_t at, size_t ceiling)
{
    do
        at = over_blanks(text, at + 1, ceiling);
    while (at < ceiling && text[at] == '@');
    return at;
}

/* What the scanner found is where both sides begin. */
static void take_hit(struct side *left, struct side *right, const struct scan_hit *hit)
{
    const char *text = left->greedy->text;

    append_unquoted(left->words, text + hit->wide, hit->tight - hit->wide);
    left->near = left->words->len;
    append_unquoted(left->words, text + hit->tight, hit->local_end - hit->tight);
    left->near = left->words->len - left->near;
    g_string_append_len(right->words, text + hit->domain, (gssize)(hit->end - hit->domain));
    right->near = right->words->len;
    left->end = hit->tight;
    right->end = hit->end;
    left->found = right->found = true;
    /* Whatever is beside it on the left may be a name. */
    left->far = true;
    left->dot = text[hit->wide] == '.';
}

/* Whether the local part `""` is before the `@`: the one that is nothing but its quotes (RFC 5321 section 4.1.2). */
static bool is_empty_quoted(const char *text, size_t at)
{
    at = before_blanks(text, at, 0);
    return at > 1 && text[at - 1] == '"' && text[at - 2] == '"';
}

/* Bytes of the domain: it does not end in what ends a sentence. */
static size_t domain_length(const struct side *right)
{
    size_t length = right->near;

    while (length > 0 && strchr(".-_", right->words->str[length - 1]) != NULL)
        length--;
    return length;
}

/* Fills the address and the whole of the item. */
static void take_sides(const struct side *left, const struct side *right, struct greedy_address *address)
{
    g_string_append_len(address->local, left->words->str + left->words->len - left->near, (gssize)left->near);
    g_string_append_len(address->domain, right->words->str, (gssize)domain_length(right));
    address->cut = MAX(left->steps, right->steps) > GREEDY_STEPS && !left->place->prose;
    address->wider = address->cut || (!left->place->prose &&
                                      (has_letter(left->words->str, left->words->len - left->near) ||
                                       has_letter(right->words->str + right->near, right->words->len - right->near)));
    quote(address->local);
    quote(address->wide_local);
}

/* Whether a word is an encoded-word: the decoded text says what that is. */
static bool is_encoded_word(const char *word, size_t length)
{
    const char *encoding = length > 5 && strncmp(word, "=?", 2) == 0 ? strchr(word + 2, '?') : NULL;

    /* A NUL would be found too, and nothing is after that. */
    return encoding != NULL && encoding[1] != '\0' && strchr("bBqQ", encoding[1]) != NULL && encoding[2] == '?' &&
           strncmp(word + length - 2, "?=", 2) == 0;
}

/* Whether what was read in a name around an `@` is nobody. */
static bool is_nobody(const struct side *left, const struct side *right)
{
    return !left->found || !right->found || memchr(right->words->str, '.', domain_length(right)) == NULL ||
           is_encoded_word(left->words->str + left->words->len - left->near, left->near);
}

static void empty(struct greedy_address *address)
{
    GString *const strings[] = {address->local, address->domain, address->wide_local, address->wide_domain};

    for (unsigned i = 0; i < G_N_ELEMENTS(strings); i++)
        g_string_truncate(strings[i], 0);
}

enum greedy_kind greedy_read(struct greedy *greedy, const struct greedy_at *at, const struct scan_hit *hit,
                             struct greedy_address *address)
{
    address->end = hit != NULL ? hit->end : at->place + 1;
    if (hit != NULL && hit->end - hit->domain >= SCAN_LITERAL_LIMIT && greedy->text[hit->domain] == '[')
        return GREEDY_UNREAD;
    if (hit != NULL && stands_alone(greedy, at, hit))
        return GREEDY_SAME;
    const struct surroundings *place = find_place(greedy, at->number);
    bool dotted = hit != NULL && ends_domain(greedy->text + hit->domain, hit->end - hit->domain);
    if (at->place < place->colon && !dotted) {
        address->end = place->colon;
        return GREEDY_NOBODY;
    }
    /* After an address a sentence goes on, and no MTA reads it. */
    if (place->prose && dotted)
        return GREEDY_SHOWN;
    empty(address);
    struct side left = (struct side){.greedy = greedy, .place = place, .words = address->wide_local, .end = at->place};
    struct side right =
        (struct side){.greedy = greedy, .place = place, .words = address->wide_domain, .end = at->place + 1};
    if (hit != NULL)
        take_hit(&left, &right, hit);
    read_sides(&left, hit != NULL ? hit->wide : at->place, at->floor, &right,
               hit != NULL ? hit->end : after_ats(greedy->text, at->place, place->high));
    if (hit == NULL && (place->angle || place->quoted)) {
        left.near = left.words->len;
        right.near = right.words->len;
    }
    if (place->prose && hit == NULL && is_nobody(&left, &right))
        return GREEDY_NOBODY;
    if (!right.found || (!left.found && !is_empty_quoted(greedy->text, at->place)))
        return place->prose ? GREEDY_NOBODY : GREEDY_UNREAD;
    /* That may mean nothing: the domain may be what comes after it. */
    if (is_encoded_word(right.words->str, right.near))
        return GREEDY_UNREAD;
    address->end = right.end;
    take_sides(&left, &right, address);
    address->same = hit != NULL && left.end == hit->tight && right.end == hit->end;
    return GREEDY_LONGER;
}
