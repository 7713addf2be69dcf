/* secret_file - see secret_file.h */

#include "milter/database/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS (2 * SECRET_SIZE)

static int failed(struct database_error *error, const char *path, const char *what)
{
    return database_error_set(error, DATABASE_OTHER, "%s: %s: %s", path, what, g_strerror(errno));
}

/* Whether the text was written and is on the disk. */
static bool write_text(int descriptor, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(descriptor, text, size);
        if (written == -1 && errno != EINTR)
            return false;
        text += MAX(written, 0);
        size -= (size_t)MAX(written, 0);
    }
    return fsync(descriptor) == 0;
}

static bool make_text(char text[DIGITS + 2])
{
    unsigned char bytes[SECRET_SIZE];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    for (unsigned i = 0; i < sizeof bytes; i++)
        g_snprintf(text + 2 * (size_t)i, 3, "%02x", bytes[i]);
    text[DIGITS] = '\n';
    text[DIGITS + 1] = '\0';
    return true;
}

/* Under a name that nobody else has yet; then under its own, unless somebody was quicker. */
static int make_key(const char *path, uid_t owner, struct database_error *error)
{
    char text[DIGITS + 2];
    g_autofree char *new_path = g_strdup_printf("%s.%ld.new", path, (long)getpid());
    int descriptor = open(new_path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor == -1)
        return failed(error, new_path, "cannot be made");
    bool made = (geteuid() != 0 || owner == 0 || fchown(descriptor, owner, (gid_t)-1) == 0) && make_text(text) &&
                write_text(descriptor, text, DIGITS + 1);
    int result = made && (link(new_path, path) == 0 || errno == EEXIST) ? 0 : failed(error, path, "cannot be made");
    close(descriptor);
    unlink(new_path);
    if (result == -1)
        return -1;
    g_autofree char *folder = g_path_get_dirname(path);
    descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    result = descriptor != -1 && fsync(descriptor) == 0 ? 0 : failed(error, folder, "cannot be written");
    if (descriptor != -1)
        close(descriptor);
    return result;
}

static bool read_text(const char *text, size_t size, unsigned char bytes[SECRET_SIZE])
{
    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (size != DIGITS)
        return false;
    for (size_t i = 0; i < DIGITS; i++) {
        int digit = g_ascii_xdigit_value(text[i]);
        if (digit == -1)
            return false;
        bytes[i / 2] = (unsigned char)(i % 2 == 0 ? digit << 4 : bytes[i / 2] | digit);
    }
    return true;
}

static int read_key(const char *path, unsigned char bytes[SECRET_SIZE], struct database_error *error)
{
    struct stat status;
    char text[DIGITS + 2];
    int descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor == -1 || fstat(descriptor, &status) == -1) {
        failed(error, path, "cannot be read");
        if (descriptor != -1)
            close(descriptor);
        return -1;
    }
    ssize_t size = read(descriptor, text, sizeof text);
    close(descriptor);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return database_error_set(error, DATABASE_INSECURE,
                                  "%s can be used by others (mode %04o), and a key is secret; chmod 600 %s", path,
                                  (unsigned)status.st_mode & 07777u, path);
    if (size == -1 || !read_text(text, (size_t)size, bytes))
        return database_error_set(error, DATABASE_FOREIGN,
                                  "%s: this is no key: %u hexadecimal digits and a newline were expected", path,
                                  DIGITS);
    return 0;
}

int secret_file_read(const char *path, uid_t owner, enum database_mode mode, unsigned char bytes[SECRET_SIZE],
                     struct database_error *error)
{
    int there = database_check_place(path, owner, error);
    if (there == -1)
        return -1;
    if (there == 0 && mode == DATABASE_EXISTING)
        return database_error_set(error, DATABASE_MISSING, "%s: there is no such file", path);
    if (there == 0 && make_key(path, owner, error) == -1)
        return -1;
    return read_key(path, bytes, error);
}
