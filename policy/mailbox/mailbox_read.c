/* mailbox_read - see mailbox_read.h */

#include "policy/mailbox/mailbox_read.h"

#include "policy/mailbox/mailbox_split.h"
#include "policy/mailbox/mailbox_walk.h"
#include "policy/message/recipients.h"

/* Gives the messages of a batch; false if that is enough. */
static bool give(const struct mailbatch *batch, const char *file, mailfile_take take, void *data)
{
    for (unsigned i = 0; i < batch->heads->len; i++)
        if (!take(data, mailbatch_message(batch, i), file, g_array_index(batch->heads, struct mailhead, i).index))
            return false;
    return true;
}

/* What is done with what is found. */
struct mailfile_request {
    enum mailfile_extent extent;
    mailfile_take take;
    mailfile_pass pass; /* or NULL */
    void *data;
};

static bool read_file(const struct mailwalk_file *file, const struct mailfile_request *request, struct diags *diags)
{
    auto_free(mailcut) cut = mailcut_open(file->path, file->found, NULL, diags);
    bool more = cut != NULL;
    bool wanted = true;

    if (cut != NULL && request->extent == MAILFILE_BODIES)
        mailcut_keep_bodies(cut);
    while (more && wanted) {
        auto_free(mailbatch) batch = mailbatch_new();
        more = mailcut_next(cut, batch, diags);
        wanted = give(batch, file->path, request->take, request->data);
    }
    if (request->pass != NULL && cut != NULL && mailcut_passed(cut))
        request->pass(request->data, file->path);
    return wanted;
}

bool mailfile_read_extent(const char *path, enum mailfile_extent extent, mailfile_take take, mailfile_pass pass,
                          void *data, struct diags *diags)
{
    const struct mailfile_request request = {extent, take, pass, data};
    const char *const paths[] = {path, NULL};
    auto_free(mailwalk) walk = mailwalk_new(paths, NULL);
    struct mailwalk_file file;
    bool wanted = true;

    while (wanted && mailwalk_next(walk, &file)) {
        if (file.problem != NULL)
            diags_file_error(diags, file.path, "%s", file.problem);
        else if (!file.passed)
            wanted = read_file(&file, &request, diags);
        else if (pass != NULL)
            pass(data, file.path);
        g_free(file.path);
        g_free(file.problem);
    }
    return wanted;
}

bool mailfile_read_noting(const char *path, mailfile_take take, mailfile_pass pass, void *data, struct diags *diags)
{
    return mailfile_read_extent(path, MAILFILE_HEADERS, take, pass, data, diags);
}

bool mailfile_read(const char *path, mailfile_take take, void *data, struct diags *diags)
{
    return mailfile_read_noting(path, take, NULL, data, diags);
}

void mailfile_envelope(struct message *message, const char *sender, const char *const *recipients)
{
    if (sender != NULL) {
        message_set_sender(message, sender);
    } else if (!message->envelope_given) {
        g_autoptr(GPtrArray) authors = recipients_authors(message, NULL);
        message_set_sender(message, authors->len > 0 ? g_ptr_array_index(authors, 0) : "");
    }
    if (recipients != NULL && recipients[0] != NULL) {
        g_ptr_array_set_size(message->recipients, 0);
        for (; *recipients != NULL; recipients++)
            message_add_recipient(message, *recipients);
    } else if (!message->envelope_given) {
        message->envelope_unknown = true;
    }
}
