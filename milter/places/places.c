/* places - see places.h */

#include "milter/places/places.h"

#include "milter/review/message_filter.h"
#include "policy/base/escape.h"

#include <string.h>

char *places_node;

/* What was said last of nodes that are away: a command that looks again and again says it once. */
static char *said_before;

void places_free(struct places *places)
{
    if (places == NULL)
        return;
    view_free(places->view);
    g_ptr_array_unref(places->past);
    g_ptr_array_unref(places->tools);
    g_ptr_array_unref(places->others);
    g_clear_pointer(&places->home->reach, fleet_reach_close);
    places->home->peer = NULL;
    g_clear_pointer(&places->peers, g_ptr_array_unref);
    g_free(places->unseen);
    g_free(places);
}

bool places_are_many(const struct places *places)
{
    return places->peers != NULL;
}

/* ---- the other nodes */

static void add_peer(struct places *places, struct fleet_peer *peer)
{
    struct tool *tool = g_new0(struct tool, 1);
    *tool = *places->home;
    tool->ledger = peer->ledger;
    tool->queue = NULL;
    tool->policy = NULL;
    tool->steady = 0;
    tool->peer = peer;
    tool->home = places->home;
    g_ptr_array_add(places->others, tool);
    g_ptr_array_add(places->tools, tool);
}

static bool is_wanted(const struct fleet_peer *peer)
{
    return places_node == NULL || g_ascii_strcasecmp(places_node, peer->name) == 0;
}

static void add_peers(struct places *places)
{
    for (guint i = 0; i < places->peers->len; i++) {
        struct fleet_peer *peer = g_ptr_array_index(places->peers, i);
        if (peer->own)
            places->home->peer = peer;
    }
    if (is_wanted(places->home->peer))
        g_ptr_array_add(places->tools, places->home);
    for (guint i = 0; i < places->peers->len; i++) {
        struct fleet_peer *peer = g_ptr_array_index(places->peers, i);
        if (!peer->own && is_wanted(peer))
            add_peer(places, peer);
    }
}

/* What is after the node of an id, or NULL; the colon of an instance's directory is none. */
static const char *after_node(const char *word)
{
    const char *mark = strpbrk(word, ":/");
    return mark == NULL || *mark != ':' ? NULL : mark + 1;
}

/* As the ledgers have the ids: without the node and the instance before them. */
static char **bare_words(char *const *words)
{
    GPtrArray *ids = g_ptr_array_new();
    for (char *const *word = words; word != NULL && *word != NULL; word++) {
        const char *rest = after_node(*word);
        g_autofree char *instance = NULL;
        const char *id = view_bare_id(rest == NULL ? *word : rest, &instance);
        g_ptr_array_add(ids, g_strdelimit(g_strdup(id), "\n", '?'));
    }
    g_ptr_array_add(ids, NULL);
    return (char **)g_ptr_array_free(ids, FALSE);
}

static int read_peers(struct places *places, const struct places_wish *wanted, const char *own, struct pg_error *error)
{
    struct tool *home = places->home;
    g_auto(GStrv) ids = bare_words(wanted->ids);
    const struct fleet_wish wish = {.own = own,
                                    .node = places_node,
                                    .states = wanted->states,
                                    .since = wanted->since,
                                    .events = wanted->events,
                                    .ids = wanted->ids == NULL ? NULL : ids,
                                    .beginnings = wanted->beginnings,
                                    .parts = wanted->parts};
    home->reach = fleet_reach_open(home->config, home->reviewer->uid, error);
    if (home->reach != NULL)
        places->peers = fleet_peers_read(home->reach->fleet, &wish, fleet_deadline(FLEET_PATIENCE), error);
    return places->peers == NULL ? -1 : 0;
}

/* This node alone is known. */
static void add_own(struct places *places, const char *own)
{
    g_clear_pointer(&places->home->reach, fleet_reach_close);
    places->peers = g_ptr_array_new_with_free_func((GDestroyNotify)fleet_peer_free);
    g_ptr_array_add(places->peers, fleet_peer_own(own));
    add_peers(places);
}

static void say_once(char *text)
{
    if (text != NULL && g_strcmp0(text, said_before) != 0)
        fputs(text, stderr);
    g_free(said_before);
    said_before = text;
}

/* Those that are looked at and are away, or cannot be read. */
static char *away_text(const struct places *places)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < places->tools->len; i++) {
        const struct fleet_peer *peer = ((struct tool *)g_ptr_array_index(places->tools, i))->peer;
        g_autofree char *age = selection_age(peer->age);
        g_autofree char *unread = peer->unread == NULL ? NULL : text_printable(peer->unread, strlen(peer->unread));
        if (unread != NULL)
            g_string_append_printf(text, "rcptguardq: what node %s holds is not shown: it cannot be read: %s\n",
                                   peer->name, unread);
        if (peer->away)
            g_string_append_printf(text,
                                   "rcptguardq: node %s is away: last seen %s ago, and what is shown of it is "
                                   "from then\n",
                                   peer->name, age);
    }
    return g_string_free(text, text->len == 0);
}

static int no_such_node(const struct places *places)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < places->peers->len; i++)
        g_string_append_printf(names, "%s%s", i == 0 ? "" : ", ",
                               ((struct fleet_peer *)g_ptr_array_index(places->peers, i))->name);
    return tool_error(EXITS_WRONG, "--node: the fleet has no node `%s`: it has %s", places_node, names->str);
}

/* An exit code. */
static int open_fleet(struct places *places, const struct places_wish *wish)
{
    struct pg_error error;
    g_autofree char *own = config_fleet_node(places->home->config);
    bool own_node = places_node != NULL ? g_ascii_strcasecmp(places_node, own) == 0 : wish->own;
    if (own_node) {
        add_own(places, own);
        return EXITS_DONE;
    }
    if (read_peers(places, wish, own, &error) == 0) {
        add_peers(places);
        if (places->tools->len == 0)
            return no_such_node(places);
        say_once(away_text(places));
        return EXITS_DONE;
    }
    if (places_node != NULL)
        return tool_error(error.kind == PG_AWAY ? EXITS_PASSING : EXITS_WRONG, "node %s cannot be looked at: %s",
                          places_node, error.text);
    places->unseen = g_strdup(error.text);
    add_own(places, own);
    say_once(g_strdup_printf("rcptguardq: other nodes are not shown: %s\n", error.text));
    return EXITS_DONE;
}

/* ---- one view */

/* What another node has said is on hold; the number of recipients is what it counted. */
static struct queue_entry *entry_of(const struct ledger_row *row)
{
    if (row->state != LEDGER_HELD)
        return NULL;
    struct queue_entry *entry = g_new0(struct queue_entry, 1);
    entry->id = g_strdup(row->message.queue_id);
    entry->arrival = row->arrival / G_USEC_PER_SEC;
    entry->sender = g_strdup(row->message.sender);
    entry->size = row->size;
    entry->recipients = row->message.counts.recipients;
    return entry;
}

static int view_peer(struct places *places, struct tool *tool)
{
    struct database_error error;
    const struct ledger_filter open = {.states = LEDGER_OPEN};
    g_autoptr(GPtrArray) rows = ledger_list(tool->ledger, &open, &error);
    for (guint i = 0; rows != NULL && i < rows->len; i++) {
        struct ledger_row *row = g_ptr_array_index(rows, i);
        g_ptr_array_index(rows, i) = NULL;
        view_add(places->view, row, entry_of(row))->at = tool;
    }
    return rows == NULL ? tool_ledger_error(&error) : EXITS_DONE;
}

static int make_view(struct places *places)
{
    int status = EXITS_DONE;
    bool here = g_ptr_array_find(places->tools, places->home, NULL);
    places->view = here ? tool_view(places->home, &status) : view_new();
    if (places->view == NULL)
        return status;
    for (guint i = 0; i < places->others->len && status == EXITS_DONE; i++)
        status = view_peer(places, g_ptr_array_index(places->others, i));
    if (places->others->len > 0)
        g_ptr_array_sort(places->view->items, view_compare);
    return status;
}

/* ---- all of it */

static int no_fleet(void)
{
    return tool_error(EXITS_WRONG, "--node: there is no fleet: [fleet] in the configuration has no database");
}

struct places *places_open(struct tool *tool, const struct places_wish *wish, int *status)
{
    auto_free(places) places = g_new0(struct places, 1);
    places->home = tool;
    places->tools = g_ptr_array_new();
    places->others = g_ptr_array_new_with_free_func(g_free);
    places->past = g_ptr_array_new_with_free_func(view_item_free);
    *status = EXITS_DONE;
    if (tool->config->fleet_database != NULL)
        *status = open_fleet(places, wish);
    else if (places_node != NULL)
        *status = no_fleet();
    else
        g_ptr_array_add(places->tools, tool);
    if (*status == EXITS_DONE && wish->view)
        *status = make_view(places);
    return *status == EXITS_DONE ? g_steal_pointer(&places) : NULL;
}

int places_named(const struct places *places, const char *word, struct tool **at, const char **id)
{
    const char *rest = places->peers == NULL ? NULL : after_node(word);
    *at = NULL;
    *id = rest == NULL ? word : rest;
    for (guint i = 0; rest != NULL && i < places->tools->len; i++) {
        struct tool *tool = g_ptr_array_index(places->tools, i);
        const char *name = tool->peer->name;
        if (strlen(name) + 1 == (size_t)(rest - word) && g_ascii_strncasecmp(name, word, strlen(name)) == 0)
            *at = tool;
    }
    return rest != NULL && *at == NULL ? -1 : 0;
}

bool places_meant(const struct tool *at, const struct tool *place)
{
    return at == NULL || at == place;
}
