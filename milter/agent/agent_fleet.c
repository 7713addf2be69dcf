/* agent_fleet - see agent_fleet.h */

#include <config.h>

#include "milter/agent/agent_fleet.h"

#include "milter/agent/agent_metrics.h"
#include "milter/agent/agent_publish.h"
#include "milter/agent/agent_take.h"
#include "milter/fleet/fleet_publish.h"
#include "milter/ledger/ledger_bell.h"
#include "milter/ledger/ledger_unpublished.h"
#include "milter/ledger/schema.h"
#include "milter/log/log.h"

#include <poll.h>
#include <unistd.h>

/* Between two signs of life, in microseconds. */
#define BEAT (30 * G_USEC_PER_SEC)

/* Between two looks at the MTA's queue, if there is nothing else to look for; and the first look for a message that was
 * held, and is not seen there yet. */
#define LOOK (60 * G_USEC_PER_SEC)
#define SOON G_USEC_PER_SEC

/* So many times as long as it took there is no other look. */
#define LOOK_SHARE 10

/* The longest and the shortest pause after a failure, or when something is left, in microseconds. */
#define LONGEST_PAUSE  (60 * G_USEC_PER_SEC)
#define SHORTEST_PAUSE G_USEC_PER_SEC

/* After a change of the ledger others follow, in milliseconds. */
#define SETTLING 200

#define HOST_LIMIT 256

struct agent_fleet {
    struct exchange exchange;
    char host[HOST_LIMIT];
    gint64 failures;
    gint64 look;          /* when the queue is looked at next */
    gint64 looked;        /* when that was done last */
    gint64 soon;          /* how long after that it is looked at again while a message is not seen there */
    unsigned unseen;      /* such messages */
    gint64 beat;          /* when the next sign of life is due; 0: all is read again, since the connection is new */
    gint64 away;          /* since when the database is away; 0: it is not */
    enum pg_failure said; /* how, as the log says */
    gint64 pause;         /* after the next failure */
    struct agent_metrics metrics;
};

static void start(struct agent_fleet *agent, struct tool *tool, int (*carry_out)(void))
{
    *agent = (struct agent_fleet){.exchange.tool = tool,
                                  .exchange.node = config_fleet_node(tool->config),
                                  .exchange.policies = g_ptr_array_new_with_free_func(g_free),
                                  .exchange.waiting = g_array_new(FALSE, FALSE, sizeof(gint64)),
                                  .exchange.carry_out = carry_out};
    if (gethostname(agent->host, HOST_LIMIT - 1) == -1)
        agent->host[0] = '\0';
    agent_metrics_start(&agent->metrics);
}

static void stop(struct agent_fleet *agent)
{
    fleet_close(agent->exchange.fleet);
    g_ptr_array_unref(agent->exchange.policies);
    g_array_unref(agent->exchange.waiting);
    g_free(agent->exchange.node);
    agent_metrics_clear(&agent->metrics);
}

static enum exchange_end ledger_failed(const struct database_error *error)
{
    tool_ledger_error(error);
    return EXCHANGE_LEFT;
}

/* ---- the connection */

static enum exchange_end connect_to(struct agent_fleet *agent)
{
    struct exchange *exchange = &agent->exchange;
    if (exchange->fleet != NULL)
        return EXCHANGE_DONE;
    gint64 deadline = fleet_deadline(FLEET_PATIENCE);
    exchange->fleet = fleet_open(exchange->tool->config, FLEET_AS_NODE, NULL, deadline, &exchange->error);
    if (exchange->fleet == NULL || fleet_listen(exchange->fleet, deadline, &exchange->error) == -1)
        return EXCHANGE_BROKEN;
    g_ptr_array_set_size(exchange->policies, 0);
    g_array_set_size(exchange->waiting, 0);
    agent->beat = 0;
    return EXCHANGE_DONE;
}

/* Once when it goes, and once when it is back. */
static void say_away(struct agent_fleet *agent)
{
    const struct pg_error *error = &agent->exchange.error;
    if (agent->away == 0 || agent->said != error->kind)
        log_line(LOG_WARNING,
                 "fleet: %s; until that is over other nodes do not see what is held here, and their decisions wait",
                 error->text);
    if (agent->away == 0)
        agent->away = g_get_monotonic_time();
    agent->said = error->kind;
}

static void say_back(struct agent_fleet *agent)
{
    if (agent->away != 0)
        log_line(LOG_NOTICE, "fleet: the database is there again, after %" G_GINT64_FORMAT " seconds",
                 (g_get_monotonic_time() - agent->away) / G_USEC_PER_SEC);
    agent->away = 0;
    agent->pause = 0;
}

/* ---- one exchange */

/* Which MTA's queue it is; before anything was held that is not known. */
static const char *mta_of(const struct tool *tool)
{
    return tool->queue == NULL ? NULL : mta_word(queue_mta(tool->queue));
}

static enum exchange_end be_there(struct agent_fleet *agent)
{
    struct exchange *exchange = &agent->exchange;
    struct ledger *ledger = exchange->tool->ledger;
    struct database_error error;
    struct fleet_state state = {.node = exchange->node,
                                .program = PACKAGE_VERSION,
                                .mta = mta_of(exchange->tool),
                                .host = agent->host,
                                .ledger_version = SCHEMA_VERSION,
                                .failures = agent->failures};
    g_autofree char *published = NULL;
    if (ledger_unpublished_count(ledger, &state.waiting, &error) == -1)
        return ledger_failed(&error);
    if (fleet_be_there(exchange->fleet, &state, &published, fleet_deadline(FLEET_PATIENCE), &exchange->error) == -1)
        return EXCHANGE_BROKEN;
    int anew = ledger_publish_to(ledger, fleet_incarnation(exchange->fleet), published, &error);
    return anew == -1 ? ledger_failed(&error) : EXCHANGE_DONE;
}

static unsigned count_rows(struct agent_fleet *agent, unsigned states)
{
    const struct ledger_filter filter = {.states = states};
    struct database_error error;
    gint64 oldest;
    unsigned count = 0;
    return ledger_count(agent->exchange.tool->ledger, &filter, &count, &oldest, &error) == -1 ? 0 : count;
}

/* Soon after a message was held: until the queue has it nobody on another node can decide. */
static gint64 next_look(struct agent_fleet *agent)
{
    unsigned unseen = count_rows(agent, LEDGER_BIT(LEDGER_PENDING));
    if (unseen > agent->unseen)
        agent->soon = SOON;
    agent->unseen = unseen;
    return unseen == 0 ? agent->look : MIN(agent->look, agent->looked + agent->soon);
}

/* What left the queue by hand, say, is seen there too: nobody else may look here for long. */
static void look_at_queue(struct agent_fleet *agent)
{
    gint64 began = g_get_monotonic_time();
    int status;
    if (agent->beat != 0 && began < next_look(agent))
        return;
    if (count_rows(agent, LEDGER_OPEN) > 0)
        view_free(tool_view(agent->exchange.tool, &status));
    agent->looked = g_get_monotonic_time();
    agent->look = agent->looked + LOOK;
    agent->soon = CLAMP(agent->soon * 2, LOOK_SHARE * (agent->looked - began), LOOK);
}

/* With a new connection, and from time to time. */
static enum exchange_end begin(struct agent_fleet *agent, bool *compare, bool *whole)
{
    gint64 now = g_get_monotonic_time();
    *compare = now >= agent->beat;
    *whole = agent->beat == 0;
    look_at_queue(agent);
    enum exchange_end end = *compare ? be_there(agent) : EXCHANGE_DONE;
    if (*compare && end == EXCHANGE_DONE)
        agent->beat = now + BEAT;
    return end;
}

static enum exchange_end exchange_all(struct agent_fleet *agent)
{
    struct exchange *exchange = &agent->exchange;
    g_autoptr(GPtrArray) decisions = NULL;
    exchange->more = false;
    bool compare = false, whole = false;
    enum exchange_end end = begin(agent, &compare, &whole);
    if (end != EXCHANGE_DONE)
        return end;
    end = agent_take(exchange, &decisions);
    if (end != EXCHANGE_BROKEN)
        end = exchange_worse(end, agent_publish(exchange));
    if (end != EXCHANGE_BROKEN && decisions != NULL)
        end = exchange_worse(end, agent_answer(exchange, decisions));
    if (end != EXCHANGE_BROKEN && compare)
        end = exchange_worse(end, agent_publish_compare(exchange, whole));
    return end;
}

static enum exchange_end try_exchange(struct agent_fleet *agent)
{
    enum exchange_end end = connect_to(agent);
    if (end == EXCHANGE_DONE)
        end = exchange_all(agent);
    if (end != EXCHANGE_BROKEN)
        return end;
    agent->failures++;
    agent_metrics_failed(&agent->metrics, &agent->exchange.error);
    fleet_close(g_steal_pointer(&agent->exchange.fleet));
    return end;
}

/* A connection that breaks says nothing of the database: that it is away is known once it cannot be made anew. */
static enum exchange_end run_exchange(struct agent_fleet *agent)
{
    bool connected = agent->exchange.fleet != NULL;
    enum exchange_end end = try_exchange(agent);
    if (end == EXCHANGE_BROKEN && connected)
        end = try_exchange(agent);
    if (end != EXCHANGE_BROKEN)
        say_back(agent);
    agent_metrics_after(&agent->metrics, &agent->exchange, end != EXCHANGE_BROKEN);
    return end;
}

static int check_configured(const struct tool *tool)
{
    return tool->config->fleet_database != NULL ? EXITS_DONE
                                                : tool_error(EXITS_WRONG, "[fleet] database is not configured");
}

int agent_fleet_once(struct tool *tool, int (*carry_out)(void))
{
    struct agent_fleet agent;
    int code = check_configured(tool);
    if (code != EXITS_DONE)
        return code;
    start(&agent, tool, carry_out);
    enum exchange_end end;
    do
        end = run_exchange(&agent);
    while (end != EXCHANGE_BROKEN && agent.exchange.more);
    if (end == EXCHANGE_BROKEN)
        tool_error(EXITS_PASSING, "%s", agent.exchange.error.text);
    stop(&agent);
    return end == EXCHANGE_DONE ? EXITS_DONE : EXITS_PASSING;
}

/* ---- for ever */

static gint64 longer(gint64 pause)
{
    return CLAMP(pause * 2, SHORTEST_PAUSE, LONGEST_PAUSE);
}

/* What the database notified during a query was read with it. */
static bool is_notified(struct agent_fleet *agent)
{
    struct exchange *exchange = &agent->exchange;
    return exchange->fleet != NULL && fleet_wait(exchange->fleet, 0, &exchange->error) != 0;
}

/* Until the database or the ledger has something, or the time comes; the database wakes at once. */
static void wait_for(struct agent_fleet *agent, struct bell *bell, gint64 until)
{
    struct pollfd waiting[] = {{.fd = bell_fd(bell), .events = POLLIN},
                               {.fd = fleet_fd(agent->exchange.fleet), .events = POLLIN}};
    for (gint64 left; !is_notified(agent) && (left = until - g_get_monotonic_time()) > 0;) {
        if (poll(waiting, G_N_ELEMENTS(waiting), (int)(left / 1000) + 1) <= 0 || waiting[1].revents != 0)
            continue;
        if (!bell_rang(bell))
            continue;
        poll(&waiting[1], 1, SETTLING);
        return;
    }
}

/* What is left has its time, whatever wakes the agent before: its own work rings the bell and notifies as well. */
static gint64 set_retry(struct exchange *exchange, enum exchange_end end)
{
    gint64 now = g_get_monotonic_time();
    if (end != EXCHANGE_LEFT) {
        exchange->pause = exchange->retry = 0;
        return G_MAXINT64;
    }
    if (exchange->retry <= now) {
        exchange->pause = longer(exchange->pause);
        exchange->retry = now + exchange->pause;
    }
    return exchange->retry;
}

/* A sleep that only the end of the process ends: local work is another process's. */
static void pause_after(struct agent_fleet *agent)
{
    say_away(agent);
    agent->pause = longer(agent->pause);
    g_usleep((gulong)agent->pause);
}

int agent_fleet_always(struct tool *tool, int (*carry_out)(void))
{
    struct agent_fleet agent;
    g_autofree char *error = NULL;
    int code = check_configured(tool);
    if (code != EXITS_DONE)
        return code;
    auto_free(bell) bell = bell_open_changes(tool->config->ledger, &error);
    if (bell == NULL)
        return tool_error(EXITS_WRONG, "%s", error);
    start(&agent, tool, carry_out);
    struct database_error replaced;
    while (database_check_files(ledger_database(tool->ledger), &replaced) == 0) {
        enum exchange_end end = run_exchange(&agent);
        if (end == EXCHANGE_BROKEN) {
            pause_after(&agent);
            continue;
        }
        if (agent.exchange.more)
            continue;
        gint64 retry = set_retry(&agent.exchange, end), look = next_look(&agent);
        wait_for(&agent, bell, MIN(MIN(retry, look), agent.beat > 0 ? agent.beat : G_MAXINT64));
    }
    stop(&agent);
    return tool_ledger_error(&replaced); /* who started this process starts another one, with the ledger of now */
}
