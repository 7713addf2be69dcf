/** decide - the dialog of a decision: what will happen, the reason, the outcome in rcptguardq's words */

import { add, button, byId, fill, make, stranger } from "./elements.js";
import { plain, plural, say } from "./text.js";
import { idOf, run } from "./rcptguardq.js";

/** @typedef {import("./rcptguardq.js").Held} Held */
/** @typedef {import("./rcptguardq.js").Action} Action */
/** @typedef {import("./rcptguardq.js").Outcome} Outcome */
/** @typedef {import("./elements.js").Child} Child */

/** That many queue ids go with one command. */
const AT_ONCE = 200;
/** That many lines of outcomes are shown. */
const LINES = 50;

/** @typedef {{action: Action, items: Held[], done: Set<string>, known: Set<string>, asked: boolean, busy: boolean}} Asked what the dialog is about */
/** @type {Asked | null} */
let current = null;
/** @type {(outcomes: Outcome[], others: Child[]) => void} */
let finished = () => {};

/** @returns {HTMLDialogElement} */
function dialog() {
    return /** @type {HTMLDialogElement} */ (byId("decide"));
}

/** @returns {HTMLTextAreaElement} */
function reason() {
    return /** @type {HTMLTextAreaElement} */ (byId("decide-reason"));
}

/** @returns {HTMLButtonElement} */
function confirm() {
    return /** @type {HTMLButtonElement} */ (byId("decide-confirm"));
}

/** @param {(outcomes: Outcome[], others: Child[]) => void} whenFinished with what the dialog cannot say any more, because it was closed */
export function build(whenFinished) {
    finished = whenFinished;
    const form = make("form", { method: "dialog", novalidate: true },
        make("h2", { id: "decide-title" }),
        make("div", { id: "decide-summary" }),
        make("div", { id: "decide-would", role: "status" }),
        make("label", { for: "decide-reason" }, say("reason")),
        make("textarea", { id: "decide-reason", rows: 3, "aria-describedby": "decide-hint", autocomplete: "off" }),
        make("small", { id: "decide-hint" }, say("reasonHint")),
        make("div", { id: "decide-said", role: "alert" }),
        make("div", { class: "buttons" }, make("button", { id: "decide-confirm", type: "submit" }),
            button(say("cancel"), shut, { id: "decide-cancel", class: "quiet" })));
    form.addEventListener("submit", event => {
        event.preventDefault();
        void carryOut();
    });
    const made = make("dialog", { id: "decide", "aria-labelledby": "decide-title" }, form);
    // By Escape.  The event can come late: the dialog may be open for something else by then.
    made.addEventListener("close", () => { if (!made.open) current = null; });
    return made;
}

function shut() {
    current = null;
    dialog().close();
}

/** Opens it. @param {Action} action @param {Held[]} items */
export function ask(action, items) {
    if (items.length === 0)
        return;
    current = { action, items, done: new Set(), known: new Set(), asked: false, busy: false };
    const one = items.length === 1;
    byId("decide-title").textContent = one ? say("decideTitleOne", { action: say(action), id: idOf(items[0]) }) : say("decideTitleMany", { action: say(action), n: items.length });
    fill(byId("decide-summary"), ...(one ? summaryOfOne(action, items[0]) : summaryOfMany(action, items)));
    fill(byId("decide-would"), make("p", { class: "soft" }, say("decideAsking")));
    fill(byId("decide-said"));
    reason().value = "";
    reason().readOnly = false;
    confirm().textContent = say("confirm", { action: say(action) });
    confirm().className = action;
    confirm().disabled = false;
    byId("decide-cancel").textContent = say("cancel");
    dialog().showModal();
    reason().focus();
    void wouldHappen(current);
}

/** @param {Action} action @param {Held} item */
function summaryOfOne(action, item) {
    const needed = item.approvals_needed ?? 1;
    return [make("p", {}, plain(idOf(item)), ": ", item.subject ? stranger(item.subject) : say("noSubject")),
        make("p", {}, say("decideOne", { sender: item.sender || say("nullSender"), visible: item.visible ?? 0, parties: item.parties ?? 0 })),
        make("p", {}, make("strong", {}, say(/** @type {"releaseMeans"} */ (action + "Means")))),
        action === "release" && needed > 1 ? make("p", {}, say("decideApproval", { n: item.approvals ?? 0, needed })) : null];
}

/** @param {Action} action @param {Held[]} items */
function summaryOfMany(action, items) {
    /** @type {Map<string, Held[]>} */
    const groups = new Map();
    for (const item of items) {
        const group = groups.get(item.rule ?? "");
        if (group === undefined)
            groups.set(item.rule ?? "", [item]);
        else
            group.push(item);
    }
    const list = make("ul");
    for (const [rule, of] of [...groups].sort((a, b) => b[1].length - a[1].length)) {
        add(list, make("li", {}, say("decideGroup", { n: of.length, rule, senders: plural(new Set(of.map(item => item.sender)).size, "decideSenderOne", "decideSenders"),
            visible: Math.max(...of.map(item => item.visible ?? 0)) })));
    }
    const several = items.filter(item => (item.approvals_needed ?? 1) > 1).length;
    return [list, make("p", {}, make("strong", {}, say(/** @type {"manyReleaseMeans"} */ ("many" + action[0].toUpperCase() + action.slice(1) + "Means")))),
        action === "release" && several > 0 ? make("p", {}, say("decideApprovalMany", { n: several })) : null];
}

/** Those that rcptguardq would refuse now. @param {Asked} state */
async function refusals(state) {
    /** @type {Outcome[]} */
    const found = [];
    const left = state.items.filter(item => !state.done.has(idOf(item))).map(idOf);
    for (let begin = 0; begin < left.length && current === state; begin += AT_ONCE)
        found.push(...await run(state.action, ["--dry-run", "--reason=-"], left.slice(begin, begin + AT_ONCE), true));
    return found.filter(each => each.code !== 0);
}

/** Says what rcptguardq would refuse, before anything is decided. @param {Asked} state */
async function wouldHappen(state) {
    const place = byId("decide-would");
    try {
        const refused = await refusals(state);
        if (current !== state)
            return;
        refused.forEach(each => state.known.add(idOf(each) + each.said));
        fill(place, ...(refused.length === 0 ? [] : [make("p", {}, say("decideRefused", { n: refused.length, all: state.items.length })), lines(refused)]));
    } catch (error) {
        if (current === state)
            fill(place, make("p", {}, words(error)));
    }
    state.asked = true;
}

/** @param {Outcome[]} outcomes */
function lines(outcomes) {
    const list = make("ul", {}, ...outcomes.slice(0, LINES).map(each => make("li", {}, outcome(each))));
    if (outcomes.length > LINES)
        add(list, make("li", {}, say("andMore", { n: outcomes.length - LINES })));
    return list;
}

/** The words of rcptguardq, with the id before them once. @param {Outcome} each */
function outcome(each) {
    const said = plain(each.said, "\n");
    return each.said.startsWith(each.id + ":") ? said : plain(idOf(each)) + ": " + said;
}

/** Whether nothing is left to be done here: what waits for its node is decided. @param {Outcome} each */
export function isDone(each) {
    return each.code === 0 || each.waits === true;
}

/** @param {unknown} error */
function words(error) {
    return plain(error instanceof Error ? error.message : String(error), "\n");
}

async function carryOut() {
    const state = current;
    if (state === null || state.busy)
        return;
    state.busy = true;
    confirm().disabled = true;
    reason().readOnly = true;
    const todo = state.items.filter(item => !state.done.has(idOf(item))).map(idOf);
    /** @type {Outcome[]} */
    const outcomes = [];
    let trouble = null;
    // A dialog that is closed meanwhile ends it, after the command that runs.
    for (let begin = 0; begin < todo.length && trouble === null && current === state; begin += AT_ONCE) {
        fill(byId("decide-said"), todo.length === 1 ? say("workingOne") : say("working", { done: begin, all: todo.length }));
        try {
            outcomes.push(...await run(state.action, [`--reason=${reason().value}`], todo.slice(begin, begin + AT_ONCE), true));
        } catch (error) {
            trouble = words(error);
        }
    }
    state.busy = false;
    if (current === state) {
        reason().readOnly = false;
        if (outcomes.length > 0)
            finished(outcomes, []);
        tell(state, outcomes, trouble);
    } else {
        finished(outcomes, afterwards(todo.length, outcomes, trouble));
    }
}

/** What the closed dialog would have said. @param {number} all @param {Outcome[]} outcomes @param {string | null} trouble @returns {Child[]} */
function afterwards(all, outcomes, trouble) {
    const failed = outcomes.filter(each => !isDone(each));
    const left = all - outcomes.length;
    return [trouble === null ? null : make("p", {}, trouble), left === 0 ? null : make("p", {}, say("stopped", { n: left, all })), failed.length === 0 ? null : lines(failed)];
}

/** @param {Asked} state @param {Outcome[]} outcomes @param {string | null} trouble */
function tell(state, outcomes, trouble) {
    const failed = outcomes.filter(each => !isDone(each));
    outcomes.filter(isDone).forEach(each => state.done.add(idOf(each)));
    if (trouble === null && failed.length === 0) {
        shut();
        return;
    }
    confirm().disabled = false;
    byId("decide-cancel").textContent = state.done.size > 0 ? say("close") : say("cancel");
    fill(byId("decide-said"), trouble === null ? null : make("p", {}, trouble),
        failed.length === 0 ? null : state.items.length === 1 ? make("p", {}, outcome(failed[0]))
            : make("div", {}, make("p", {}, say("doneInPart", { n: state.done.size, failed: failed.length })), lines(failed)));
}

/** Something has changed: if rcptguardq would refuse what the open dialog is about, says so in its words, and offers what is left. */
export async function look() {
    const state = current;
    if (state === null || state.busy || !state.asked)
        return;
    const news = (await refusals(state)).filter(each => !state.known.has(idOf(each) + each.said));
    if (news.length === 0 || current !== state || state.busy)
        return;
    news.forEach(each => state.known.add(idOf(each) + each.said));
    fill(byId("decide-said"), make("p", {}, say("changed")), lines(news));
    if (state.items.length === 1)
        confirm().disabled = true;
}

/** Whether the dialog is open. */
export function isOpen() {
    return dialog().open;
}
