/*
 * screen - the whole terminal as rows of text, and keys one by one: what `review`
 * needs of ncurses, which no other file knows.  Bold and reverse, no colours.
 *
 * Whatever ends the program, the terminal is as it was before: by screen_close, and
 * by a handler of the signals that end it.  There is one screen at a time.
 *
 * Texts are printable UTF-8, as terminal_append_plain makes them.
 */
#ifndef RCPTGUARD_SCREEN_H
#define RCPTGUARD_SCREEN_H

#include <glib.h>
#include <stdbool.h>

/* Keys that are no characters. */
enum {
    SCREEN_UP = 0x110000, /* beyond Unicode */
    SCREEN_DOWN,
    SCREEN_LEFT,
    SCREEN_RIGHT,
    SCREEN_PAGE_UP,
    SCREEN_PAGE_DOWN,
    SCREEN_RUBOUT,
    SCREEN_RESIZED, /* the terminal has another size: draw again */
    SCREEN_OTHER,
    SCREEN_GONE, /* the terminal is closed */
};
#define SCREEN_ESCAPE 0x1b
#define SCREEN_ENTER  '\n'

/* Takes the terminal.  -1 with `error`, for g_free, if it cannot be used. */
int screen_open(char **error);
void screen_close(void);

/* Gives the terminal back for a while, so that something can be printed as usual; then takes it again. */
void screen_leave(void);
void screen_return(void);

unsigned screen_rows(void);
unsigned screen_columns(void);

enum screen_style { SCREEN_PLAIN, SCREEN_BOLD, SCREEN_REVERSE };

/* A new picture: empties it, puts a text at the beginning of a row, cut at its end, and shows it. */
void screen_clear(void);
void screen_put(unsigned row, const char *text, enum screen_style style);
void screen_show(void);

/* Waits for a key: a character, or one of the above. */
gint32 screen_key(void);

/*
 * Asks for one line in a row of the picture.  For g_free; NULL if it was cancelled by
 * Escape, or if the terminal has gone.  `draw` draws the picture again when the size
 * has changed, and gives the row.
 */
char *screen_ask(const char *question, unsigned (*draw)(void *data), void *data);

/* ncurses' version with its date, such as "6.4.20221231". */
const char *screen_library_version(void);

#endif
