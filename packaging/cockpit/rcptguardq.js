/** rcptguardq - runs it, by sudo and without a shell, and reads its JSON */

import { say } from "./text.js";

const PROGRAM = ["sudo", "-n", "/usr/sbin/rcptguardq"];

/** Ends of cockpit's channels that mean that the session is over. */
const ENDS = ["disconnected", "terminated", "no-session", "authentication-failed", "timeout", "no-host", "unknown-host"];

/** What a command could not do, in the words of rcptguardq or sudo. */
export class Failure extends Error {
    /**
     * @param {"session" | "right" | "refused" | "failed"} kind
     * @param {string} words
     * @param {number | null} status
     */
    constructor(kind, words, status) {
        super(words);
        this.kind = kind;
        this.status = status;
    }
}

/** The id by which rcptguardq knows it among the messages of all nodes and instances. @param {{id: string, node?: string, instance?: string}} of */
export function idOf(of) {
    return (of.node === undefined ? "" : of.node + ":") + (of.instance === undefined ? "" : of.instance + "/") + of.id;
}

/** Whether sudo did not run rcptguardq; its warnings before what rcptguardq says are no refusal. @param {string} words */
function sudoRefused(words) {
    const last = words.split("\n").pop() ?? "";
    return !/^rcptguardq: /m.test(words) && (/^sudo: (?!.*command not found)/.test(last) || / is not (?:allowed to |in the sudoers file)/.test(words));
}

/** @param {cockpit.Problem} problem @returns {Failure} */
function failure(problem) {
    const status = problem.exit_status ?? null;
    const words = (problem.message ?? "").trim();
    if (status === null && ENDS.includes(problem.problem ?? ""))
        return new Failure("session", say("sessionOver"), null);
    if (problem.problem === "access-denied" || sudoRefused(words))
        return new Failure("right", words || String(problem.problem), status);
    return new Failure("failed", words || say("failedSilently", { status: status ?? problem.problem ?? "?" }), status);
}

/** @param {string} line @returns {any} */
function parsed(line) {
    try {
        return JSON.parse(line);
    } catch {
        throw new Failure("failed", say("notJson", { line: line.slice(0, 200) }), null);
    }
}

/**
 * Runs a command and gives the objects that it prints.  A decision whose outcome it prints as objects is no failure.
 * @param {string} command
 * @param {string[]} options
 * @param {string[]} [words] what is no option, whatever it begins with
 * @param {boolean} [partly] whether objects count, even if the exit status says that something failed
 * @returns {Promise<any[]>}
 */
export function run(command, options, words = [], partly = false) {
    // No program can be given this character: what comes after it would be lost.
    if ([...options, ...words].some(word => word.includes("\0")))
        return Promise.reject(new Failure("failed", say("nul"), null));
    return new Promise((resolve, reject) => {
        /** @type {string[]} */
        const pieces = [];
        const whole = () => pieces.join("").split("\n").filter(line => line !== "").map(parsed);
        const settle = (/** @type {cockpit.Problem | null} */ problem) => {
            try {
                const found = problem === null || (partly && typeof problem.exit_status === "number") ? whole() : [];
                if (problem === null || (partly && found.length > 0))
                    resolve(found);
                else
                    reject(failure(problem));
            } catch (error) {
                reject(error);
            }
        };
        cockpit.spawn([...PROGRAM, command, "--json", ...options, ...(words.length > 0 ? ["--", ...words] : [])], { err: "message", environ: ["LC_ALL=C.UTF-8"] })
            .stream(data => { pieces.push(data); })
            .then(() => settle(null), settle);
    });
}

/**
 * Runs `counts --follow` and hands on each object; gives what ends it.
 * @param {string} newer
 * @param {(counts: Counts) => void} each
 * @param {(failure: Failure) => void} ended
 * @returns {() => void} ends it
 */
export function follow(newer, each, ended) {
    let rest = "";
    let over = false;
    /** @param {Failure} why */
    const end = why => {
        if (!over) {
            over = true;
            ended(why);
        }
    };
    const process = cockpit.spawn([...PROGRAM, "counts", "--json", "--follow", `--newer=${newer}`], { err: "message", environ: ["LC_ALL=C.UTF-8"] });
    process.stream(data => {
        const lines = (rest + data).split("\n");
        rest = lines.pop() ?? "";
        try {
            for (const line of lines) {
                if (line !== "" && !over)
                    each(parsed(line));
            }
        } catch (error) {
            end(error instanceof Failure ? error : new Failure("failed", String(error), null));
            process.close("terminated");
        }
    }).then(() => end(failure({ exit_status: 0, message: "" })), problem => end(failure(problem)));
    return () => {
        over = true;
        process.close("terminated");
    };
}

/**
 * @typedef {object} Held what list says of one
 * @property {string} id
 * @property {string} [instance] of the MTA, where there are several
 * @property {string} state
 * @property {boolean} on_hold
 * @property {string} arrival
 * @property {number} age
 * @property {string} sender
 * @property {string | null} [user]
 * @property {string | null} [client]
 * @property {string | null} [subject]
 * @property {string} [rule]
 * @property {string | null} [text]
 * @property {number} [visible]
 * @property {number} [parties]
 * @property {number} [internal]
 * @property {number} [hidden]
 * @property {number} [recipients]
 * @property {string[]} [defects]
 * @property {{part: string, visible: number, parties: number}[]} [inside]
 * @property {string[]} [opaque]
 * @property {number} [approvals]
 * @property {number} [approvals_needed]
 * @property {string} [changed]
 * @property {string | null} [who]
 * @property {string | null} [reason]
 * @property {string | null} [requeued]
 * @property {string | null} [former]
 * @property {string | null} [due]
 * @property {string | null} [stopped]
 * @property {string | null} [expires]
 * @property {string | null} [expiry]
 * @property {string} [node] of a fleet: where it is held
 * @property {boolean} [node_away]
 * @property {string | null} [node_seen]
 * @property {Pending | null} [pending] a decision that its node has not carried out
 *
 * @typedef {object} MessageFacts what show adds
 * @property {number} [line]
 * @property {{condition: string, has: string | null}[]} [why]
 * @property {string | null} [within]
 * @property {string | null} [known]
 * @property {Party[]} [largest]
 * @property {string[]} [approved_by]
 * @property {string | null} [released_before]
 * @property {{name: string, value: string}[]} [headers]
 * @property {{fields: string, address: string, name: string | null}[]} [visible_recipients]
 * @property {string[]} [hidden_recipients]
 * @property {boolean} [recipients_cut]
 * @property {string} [message]
 * @property {{name: string | null, type: string, size: number, use: string}[]} [parts]
 * @property {string} [text_of_message]
 * @property {boolean} [text_cut]
 * @property {Decision[]} [decisions]
 * @property {string | null} [sender_until]
 * @property {string | null} [elsewhere] why its text and recipients are not here
 * @property {{action: Action, allowed: boolean, why: string | null}[]} [may]
 *
 * @typedef {Held & MessageFacts} Message
 * @typedef {{action: string, who: string, by_node: string | null, reason: string | null, time: string}} Pending
 * @typedef {"release" | "return" | "delete"} Action
 * @typedef {{party: string | null, class: string, individuals: boolean, people: number, parties: number}} Party
 * @typedef {{who: string | null, action: string, reason: string | null, way: string | null, time: string, state: string, detail: string | null}} Decision
 * @typedef {{id: string, node?: string, instance?: string, by_node?: string | null, time: string, who: string | null, action: string, reason: string | null, detail: string | null, way: string | null}} Entry
 * @typedef {{id: string, node?: string, instance?: string, code: number, said: string, waits?: boolean}} Outcome
 * @typedef {{node: string, host: string | null, own: boolean, away: boolean, seen: string | null, waiting: number, pending: number}} PlaceOf
 * @typedef {{hour: string, held: number, released: number, returned: number, deleted: number, expired: number}} Hour
 * @typedef {object} Counts
 * @property {number} waiting
 * @property {string | null} oldest
 * @property {number} late
 * @property {number} untracked
 * @property {{rule: string, waiting: number, oldest: string}[]} rules
 * @property {string} since
 * @property {Hour[]} hours
 * @property {{verdict: string, messages: number}[]} verdicts
 * @property {string | null} verdicts_since
 * @property {string | null} verdicts_said
 * @property {PlaceOf[]} [nodes] of a fleet
 * @property {string | null} [nodes_said] why the other nodes are not among them
 */
