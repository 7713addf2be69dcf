/* rcptguard - the policy's tool; its commands are in files of their own.  See rcptguard(1). */

#include <config.h>

#include "policy/cli/json.h"
#include "policy/cli/version_text.h"
#include "policy/rcptguard/daemon_state.h"
#include "policy/rcptguard/rcptguard_tool.h"

static const struct command *const commands[] = {
    &command_check, &command_explain, &command_replay, &command_print, &command_init, NULL,
};

static void add_versions(GString *out)
{
    versions_add_built(out, "json-glib", json_library_version());
#ifdef WITH_DAEMON
    daemon_state_add_versions(out);
#endif
}

int main(int argc, char **argv)
{
    static const struct command_line program = {
        .name = "rcptguard",
        .page = "rcptguard(1)",
        .entries = policy_entries,
        .commands = commands,
        .add_versions = add_versions,
    };

    command_begin(&program);
#ifdef WITH_DAEMON
    daemon_state_serve(argc, argv);
#endif
    return command_main(argc, argv);
}
