/* screen - see screen.h */

#define NCURSES_WIDECHAR 1

#include "milter/review/screen.h"

#include "policy/base/unicode.h"

#include <curses.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

/* Characters of an answer. */
#define ANSWER_LIMIT 500

/* What ends the screen is written by a handler, which may call neither ncurses nor malloc. */
static struct {
    SCREEN *screen;
    struct termios before;
    char restore[256];
    size_t length;
} terminal;

/* ---- whatever ends the program */

static const int fatal[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static struct sigaction others[G_N_ELEMENTS(fatal)];

/* SA_RESETHAND: the signal ends the program as it does without us. */
static void restore_and_die(int number)
{
    if (write(STDOUT_FILENO, terminal.restore, terminal.length) == -1)
        terminal.length = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
    raise(number);
}

static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = restore_and_die, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < G_N_ELEMENTS(fatal); i++)
        sigaction(fatal[i], &action, &others[i]);
}

static void leave_signals(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fatal); i++)
        sigaction(fatal[i], &others[i], NULL);
}

/* One of the terminal's strings, without the pauses `$<5>` that some have in them. */
static void remember(const char *name)
{
    const char *text = tigetstr((char *)name);
    if (text == NULL || text == (char *)-1)
        return;
    for (const char *p = text; *p != '\0' && terminal.length < sizeof terminal.restore; p++) {
        const char *end = p[0] == '$' && p[1] == '<' ? strchr(p, '>') : NULL;
        if (end != NULL)
            p = end;
        else
            terminal.restore[terminal.length++] = *p;
    }
}

/* ---- the whole */

static bool knows_terminal(char **error)
{
    int result = 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        *error = g_strdup("this needs a terminal; `list` and `show` do not");
        return false;
    }
    const char *type = g_getenv("TERM");
    if (type == NULL || setupterm((char *)type, STDOUT_FILENO, &result) == ERR || tigetstr((char *)"cup") == NULL) {
        *error = g_strdup_printf("the terminal `%s` is not known, or its cursor cannot be moved: set TERM",
                                 type == NULL ? "" : type);
        return false;
    }
    return true;
}

static void set_up(void)
{
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    curs_set(0);
}

int screen_open(char **error)
{
    if (!knows_terminal(error))
        return -1;
    terminal.length = 0;
    remember("sgr0");
    remember("rmkx");
    remember("cnorm");
    remember("rmcup");
    del_curterm(cur_term);
    tcgetattr(STDIN_FILENO, &terminal.before);
    set_escdelay(100); /* an arrow key's bytes may come one by one over a network */
    terminal.screen = newterm(NULL, stdout, stdin);
    if (terminal.screen == NULL) {
        *error = g_strdup("this terminal cannot be used");
        return -1;
    }
    watch_signals();
    set_up();
    return 0;
}

void screen_close(void)
{
    curs_set(1);
    endwin();
    leave_signals();
    delscreen(terminal.screen);
    terminal.screen = NULL;
}

void screen_leave(void)
{
    def_prog_mode();
    endwin();
}

void screen_return(void)
{
    reset_prog_mode();
    clearok(stdscr, TRUE);
    curs_set(0);
}

unsigned screen_rows(void)
{
    return (unsigned)MAX(getmaxy(stdscr), 1);
}

unsigned screen_columns(void)
{
    return (unsigned)MAX(getmaxx(stdscr), 1);
}

/* ---- the picture */

void screen_clear(void)
{
    erase();
}

/* The last cell of the last row is never written: there some terminals scroll. */
void screen_put(unsigned row, const char *text, enum screen_style style)
{
    attr_t attributes = style == SCREEN_BOLD ? A_BOLD : style == SCREEN_REVERSE ? A_REVERSE : A_NORMAL;
    g_autofree gunichar *letters = g_utf8_to_ucs4_fast(text, -1, NULL);
    unsigned column = 0, limit = screen_columns() - (row + 1 == screen_rows());
    if (row >= screen_rows())
        return;
    attrset(attributes);
    move((int)row, 0);
    for (const gunichar *p = letters; *p != 0; p++) {
        unsigned width = g_unichar_iszerowidth(*p) ? 0 : g_unichar_iswide(*p) ? 2 : 1;
        wchar_t letter[2] = {(wchar_t)*p, 0};
        if (column + width > limit || !letter_is_shown(*p))
            break;
        addwstr(letter);
        column += width;
    }
    for (; style == SCREEN_REVERSE && column < limit; column++)
        addch(' ');
    attrset(A_NORMAL);
}

void screen_show(void)
{
    refresh();
}

/* ---- keys */

static gint32 special(wint_t code)
{
    switch (code) {
    case KEY_UP:
        return SCREEN_UP;
    case KEY_DOWN:
        return SCREEN_DOWN;
    case KEY_LEFT:
        return SCREEN_LEFT;
    case KEY_RIGHT:
        return SCREEN_RIGHT;
    case KEY_PPAGE:
        return SCREEN_PAGE_UP;
    case KEY_NPAGE:
        return SCREEN_PAGE_DOWN;
    case KEY_BACKSPACE:
    case KEY_DC:
        return SCREEN_RUBOUT;
    case KEY_ENTER:
        return SCREEN_ENTER;
    case KEY_RESIZE:
        return SCREEN_RESIZED;
    default:
        return SCREEN_OTHER;
    }
}

gint32 screen_key(void)
{
    wint_t code = 0;
    int kind;
    do {
        errno = 0;
        kind = get_wch(&code);
    } while (kind == ERR && errno == EINTR);
    if (kind == ERR)
        return SCREEN_GONE;
    if (kind == KEY_CODE_YES)
        return special(code);
    if (code == 0x7f || code == '\b')
        return SCREEN_RUBOUT;
    return code == '\r' ? SCREEN_ENTER : (gint32)code;
}

/* The end of a long answer, with room for the cursor. */
static const char *tail(const GString *answer, unsigned room)
{
    glong count = g_utf8_strlen(answer->str, -1);
    return g_utf8_offset_to_pointer(answer->str, MAX(count - (glong)room, 0));
}

static void draw_answer(const char *question, const GString *answer, unsigned row)
{
    unsigned used = (unsigned)g_utf8_strlen(question, -1) + 2;
    g_autofree char *line =
        g_strconcat(question, tail(answer, screen_columns() - MIN(used, screen_columns() - 1)), NULL);
    move((int)row, 0);
    clrtoeol();
    screen_put(row, line, SCREEN_BOLD);
    refresh();
}

static void take_key(GString *answer, gint32 key)
{
    if (key == SCREEN_RUBOUT && answer->len > 0)
        g_string_truncate(answer, (gsize)(g_utf8_prev_char(answer->str + answer->len) - answer->str));
    else if (key == ('U' & 0x1f))
        g_string_truncate(answer, 0);
    else if (key < SCREEN_UP && g_unichar_isprint((gunichar)key) && g_utf8_strlen(answer->str, -1) < ANSWER_LIMIT)
        g_string_append_unichar(answer, (gunichar)key);
}

char *screen_ask(const char *question, unsigned (*draw)(void *data), void *data)
{
    GString *answer = g_string_new(NULL);
    unsigned row = draw(data);
    gint32 key;
    curs_set(1);
    do {
        draw_answer(question, answer, row);
        key = screen_key();
        if (key == SCREEN_RESIZED)
            row = draw(data);
        else
            take_key(answer, key);
    } while (key != SCREEN_ENTER && key != SCREEN_ESCAPE && key != SCREEN_GONE);
    curs_set(0);
    return g_string_free(answer, key != SCREEN_ENTER);
}

/* The library says "ncurses 6.4.20221231". */
const char *screen_library_version(void)
{
    const char *text = curses_version();
    const char *blank = strrchr(text, ' ');
    return blank != NULL ? blank + 1 : text;
}
