/*
 * body_file - a file without a name, for the body of one message.
 */
#ifndef RCPTGUARD_BODY_FILE_H
#define RCPTGUARD_BODY_FILE_H

/*
 * Opens one in a directory (a `const char *`), for reading and writing: with O_TMPFILE of open(2), or, where the file
 * system has none, a file that is deleted at once.  -1 with errno.  See message_body_open.
 */
int body_file_open(void *directory);

#endif
