/* mailfile - see mailfile.h */

#include "policy/mailfile.h"

#include "policy/mailcut.h"
#include "policy/mailwalk.h"
#include "policy/recipients.h"

/* Gives the messages of a batch; false if that is enough. */
static bool give(const struct mailbatch *batch, const char *file, mailfile_take take, void *data)
{
    for (unsigned i = 0; i < batch->heads->len; i++)
        if (!take(data, mailbatch_message(batch, i), file, g_array_index(batch->heads, struct mailhead, i).index))
            return false;
    return true;
}

static bool read_file(const char *path, mailfile_take take, void *data, struct diags *diags)
{
    auto_free(mailcut) cut = mailcut_open(path, NULL, diags);
    bool more = cut != NULL;
    bool wanted = true;

    while (more && wanted) {
        auto_free(mailbatch) batch = mailbatch_new();
        more = mailcut_next(cut, batch, diags);
        wanted = give(batch, path, take, data);
    }
    return wanted;
}

bool mailfile_read(const char *path, mailfile_take take, void *data, struct diags *diags)
{
    const char *const paths[] = {path, NULL};
    auto_free(mailwalk) walk = mailwalk_new(paths, NULL);
    struct mailwalk_file file;
    bool wanted = true;

    while (wanted && mailwalk_next(walk, &file)) {
        if (file.problem != NULL)
            diags_file_error(diags, file.path, "%s", file.problem);
        else
            wanted = read_file(file.path, take, data, diags);
        g_free(file.path);
        g_free(file.problem);
    }
    return wanted;
}

void mailfile_envelope(struct message *message, const char *sender, const char *const *recipients)
{
    if (sender != NULL) {
        message_set_sender(message, sender);
    } else {
        g_autoptr(GPtrArray) authors = recipients_authors(message, NULL);
        message_set_sender(message, authors->len > 0 ? g_ptr_array_index(authors, 0) : "");
    }
    if (recipients != NULL && recipients[0] != NULL) {
        for (; *recipients != NULL; recipients++)
            message_add_recipient(message, *recipients);
    } else {
        message->envelope_unknown = true;
    }
}
