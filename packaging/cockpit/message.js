/** message - one message: why it is held, who would see whom, header, text, trail; and what may be decided */

import { add, button, byId, facts, fill, make, place, refill, row, stranger, time } from "./elements.js";
import { trail } from "./history.js";
import { picture } from "./picture.js";
import { idOf, run } from "./rcptguardq.js";
import { stateOf } from "./list.js";
import { plain, say, size } from "./text.js";

/** @typedef {import("./rcptguardq.js").Message} Message */
/** @typedef {import("./rcptguardq.js").Action} Action */
/** @typedef {import("./rcptguardq.js").Entry} Entry */
/** @typedef {import("./elements.js").Child} Child */
/** @typedef {keyof typeof import("./strings.js").STRINGS} Name */

const ACTIONS = /** @type {Action[]} */ (["release", "return", "delete"]);

/** That many characters of a whole message are shown at once. */
const SOURCE_STEP = 300000;

let shown = "";
/** @type {Message | null} */
let message = null;
/** @type {string} of what is drawn */
let drawn = "";
/** @type {(action: Action, items: Message[]) => void} */
let decide = () => {};

/** @param {(action: Action, items: Message[]) => void} whenDecided */
export function build(whenDecided) {
    decide = whenDecided;
    /** @type {(id: string, heading: Name, ...children: Child[]) => HTMLElement} */
    const part = (id, heading, ...children) => make("section", { class: "part", "aria-labelledby": id + "-heading" }, make("h2", { id: id + "-heading" }, say(heading)), ...children, make("div", { id }));
    return make("section", { id: "message", "aria-labelledby": "message-heading", hidden: true },
        make("p", { class: "back" }, make("a", { href: place("") }, "\u2190 ", say("back"))),
        make("h1", { id: "message-heading", tabindex: "-1" }),
        make("p", { id: "message-state", role: "status" }),
        make("div", { id: "message-decide", role: "group", "aria-label": say("decide") }),
        make("div", { class: "two" },
            make("div", {}, part("message-why", "why"), part("message-picture", "picture")),
            make("div", {}, part("message-headers", "headers"), part("message-facts", "facts"), part("message-answer", "said"))),
        part("message-text", "text"),
        make("section", { class: "part", "aria-labelledby": "looks-heading" }, make("h2", { id: "looks-heading" }, say("looks")), make("p", { class: "soft" }, say("looksNote")),
            make("div", { id: "message-look", class: "buttons" }, button(say("showRecipients"), () => void look("--recipients", recipients)), button(say("showMessage"), () => void look("--message", source))),
            make("div", { id: "message-looked", role: "alert" }), make("div", { id: "message-recipients" }), make("div", { id: "message-source" })),
        part("message-trail", "trail"));
}

/** Another message, or the same again. @param {string} id */
export function open(id) {
    if (id === shown)
        return;
    shown = id;
    message = null;
    drawn = "";
    for (const part of ["message-state", "message-decide", "message-why", "message-picture", "message-headers", "message-facts", "message-answer", "message-text", "message-trail", "message-looked", "message-recipients", "message-source"])
        fill(byId(part));
    byId("message-heading").textContent = say("message", { id });
    byId("message-state").textContent = say("loading");
}

export function forget() {
    const id = shown;
    shown = "";
    open(id);
}

/** Reads it again; its text only once, because it does not change. */
export async function refresh() {
    const id = shown;
    const [found, entries] = await Promise.all([run("show", ["--parties"], [id]), run("log", [], [id])]);
    if (id !== shown)
        return;
    const first = message === null;
    message = /** @type {Message} */ (found[0]);
    draw(message, /** @type {Entry[]} */ (entries));
    if (first)
        await readText(id);
}

/** What may be decided about it now. @param {Message} of @param {Action} action */
function may(of, action) {
    return of.may?.find(each => each.action === action) ?? { action, allowed: of.on_hold, why: null };
}

/** @param {Message} of @param {Entry[]} entries */
function draw(of, entries) {
    const { age: _age, ...rest } = of;
    const now = JSON.stringify([rest, entries]);
    if (now === drawn)
        return;
    drawn = now;
    fill(byId("message-heading"), of.subject ? stranger(of.subject) : say("message", { id: idOf(of) }));
    drawState(of);
    drawDecide(of);
    fill(byId("message-why"), ...why(of));
    refill(byId("message-picture"), ...picture(of));
    fill(byId("message-headers"), facts((of.headers ?? []).map(header => [plain(header.name), stranger(header.value)])));
    if ((of.headers ?? []).length === 0)
        fill(byId("message-headers"), of.subject ? facts([["Subject", stranger(of.subject)]]) : null, make("p", { class: "soft" }, say("textNone")));
    fill(byId("message-facts"), facts(factsOf(of)));
    fill(byId("message-answer"), ...answer(of, entries));
    fill(byId("message-trail"), trail(entries, false));
    for (const each of byId("message-look").querySelectorAll("button"))
        each.disabled = of.elsewhere !== undefined && of.elsewhere !== null;
}

/** @param {Message} of */
function drawState(of) {
    const words = [idOf(of), stateOf(of), (of.approved_by ?? []).length > 0 && of.state === "held" ? say("approvedBy", { who: (of.approved_by ?? []).join(", ") }) : ""];
    const text = words.filter(word => word !== "").join(" \u00b7 ");
    if (byId("message-state").textContent !== text)
        byId("message-state").textContent = text;
}

/** Buttons stay where they are, so that the focus does too. @param {Message} of */
function drawDecide(of) {
    const buttons = byId("message-decide");
    if (buttons.childElementCount === 0) {
        for (const action of ACTIONS)
            add(buttons, button(say(action) + say("ellipsis"), () => { if (message !== null) decide(action, [message]); }, { class: action, "data-action": action, "aria-describedby": "message-refused" }));
        add(buttons, make("div", { id: "message-refused" }));
    }
    /** @type {Map<string, Action[]>} */
    const refused = new Map();
    for (const action of ACTIONS) {
        const each = may(of, action);
        const element = /** @type {HTMLButtonElement} */ (buttons.querySelector(`[data-action="${action}"]`));
        const focused = document.activeElement === element;
        element.disabled = !each.allowed;
        if (focused && element.disabled)
            byId("message-heading").focus();
        if (!each.allowed && each.why)
            refused.set(each.why, [...(refused.get(each.why) ?? []), action]);
    }
    fill(byId("message-refused"), ...[...refused].map(([words, actions]) => make("p", {}, make("strong", {}, actions.map(action => say(action)).join(", ")), ": ", plain(words, "\n"))));
}

/** @param {Message} of */
function why(of) {
    const conditions = of.why ?? [];
    return [
        of.rule === undefined ? null : make("p", { class: "soft" }, of.line === undefined ? say("whyRuleNoLine", { rule: of.rule }) : say("whyRule", { rule: of.rule, line: String(of.line) })),
        make("p", { class: "sentence" }, of.text ? stranger(of.text, "\n") : say("whyNoText")),
        conditions.length === 0 ? null : make("table", {}, make("caption", { class: "unseen" }, say("conditions")), make("thead", {}, row("th", say("condition"), say("has"))),
            make("tbody", {}, ...conditions.map(each => row("td", make("code", {}, plain(each.condition)), each.has === null ? say("none") : plain(each.has))))),
        facts(hints(of)),
    ];
}

/** @param {Message} of @returns {[string, Child][]} */
function hints(of) {
    /** @type {[string, Child][]} */
    const found = [];
    if (of.within)
        found.push([say("within"), plain(of.within)]);
    if (of.known)
        found.push([say("known"), of.known === "yes" ? say("yes") : say("no")]);
    for (const each of of.inside ?? [])
        found.push([say("insidePart", { part: each.part }), say("insideCount", { visible: each.visible, parties: each.parties })]);
    if ((of.opaque ?? []).length > 0)
        found.push([say("opaque"), plain((of.opaque ?? []).join(", "))]);
    if ((of.defects ?? []).length > 0)
        found.push([say("defects"), plain((of.defects ?? []).join(", "))]);
    if (of.released_before)
        found.push([say("seenBefore"), say("seenBeforeAs", { id: of.released_before })]);
    return found;
}

/** @param {Message} of @returns {[string, Child][]} */
function factsOf(of) {
    /** @type {[string, Child][]} */
    const all = [
        [say("factState"), stateOf(of)],
        [say("columnNode"), of.node === undefined ? null : make("span", {}, stranger(of.node), of.node_away && of.node_seen ? make("span", {}, " ", say("nodeAway"), " ", time(of.node_seen)) : null)],
        [say("factArrival"), time(of.arrival)],
        [say("factSender"), of.sender === "" ? say("nullSender") : stranger(of.sender)],
        [say("factUser"), of.user ? stranger(of.user) : null],
        [say("factClient"), of.client ? stranger(of.client) : null],
        [say("factRecipients"), of.recipients === undefined ? null : say("factRecipientsOf", { all: of.recipients, hidden: of.hidden ?? 0 })],
        [say("factDue"), of.due ? time(of.due) : null],
        [say("factExpires"), of.expires ? make("span", {}, time(of.expires), " ", of.expiry === "delete" ? say("thenDeleted") : say("thenReturned")) : null],
        [say("factApprovals"), (of.approved_by ?? []).length > 0 ? say("factApprovalsBy", { n: of.approvals ?? 0, needed: of.approvals_needed ?? 1, who: (of.approved_by ?? []).join(", ") }) : null],
        [say("factReason"), of.reason ? stranger(of.reason, "\n") : null],
        [say("factRequeued"), of.requeued ? plain(of.requeued) : null],
        [say("factFormer"), of.former ? plain(of.former) : null],
    ];
    return all.filter(each => each[1] !== null);
}

/** What the sender did about it himself. @param {Message} of @param {Entry[]} entries */
function answer(of, entries) {
    const own = entries.filter(entry => entry.way === "author");
    const pending = (of.decisions ?? []).filter(each => each.state !== "done");
    return [
        own.length === 0 ? make("p", {}, say("saidNothing")) : trail(own, false),
        of.sender_until ? make("p", {}, say("saidUntil1"), " ", time(of.sender_until), " ", say("saidUntil2")) : null,
        pending.length === 0 && !of.pending ? null : make("h3", {}, say("pending")),
        of.pending ? make("p", {}, time(of.pending.time), " ", say("pendingAt", { who: of.pending.who, action: of.pending.action, node: of.node ?? "" }), of.pending.reason ? ": " : null, of.pending.reason ? stranger(of.pending.reason, "\n") : null) : null,
        ...pending.map(each => make("p", {}, time(each.time), " ", say("pendingLine", { who: each.who ?? say("nobody"), action: each.action, state: each.state }), each.reason ? ": " : null, each.reason ? stranger(each.reason, "\n") : null,
            each.detail ? make("span", { class: "soft" }, " ", plain(each.detail)) : null)),
    ];
}

/** The text without the two blanks that rcptguardq puts before each line of it. @param {string} text */
function outdented(text) {
    return text.split("\n").every(line => line === "" || line.startsWith("  ")) ? text.replace(/^ {2}/gm, "") : text;
}

/** @param {string} id */
async function readText(id) {
    if (message?.elsewhere) {
        fill(byId("message-text"), make("p", { class: "soft" }, plain(message.elsewhere)));
        return;
    }
    if (message === null || !message.on_hold) {
        fill(byId("message-text"), make("p", { class: "soft" }, say("textNone")));
        return;
    }
    try {
        const found = /** @type {Message} */ ((await run("show", ["--text"], [id]))[0]);
        if (id !== shown)
            return;
        const parts = (found.parts ?? []).filter(part => part.use !== "text");
        fill(byId("message-text"),
            parts.length === 0 ? null : make("div", {}, make("h3", {}, say("parts")), make("ul", {}, ...parts.map(part => make("li", {}, part.name ? stranger(part.name) : say("unnamed"), " ", make("span", { class: "soft" }, plain(part.type), ", ", size(part.size)))))),
            found.text_of_message ? make("pre", { tabindex: "0", role: "group", "aria-label": say("text") }, stranger(outdented(found.text_of_message), "\n\t")) : make("p", { class: "soft" }, say("textEmpty")),
            found.text_cut ? make("p", { class: "soft" }, say("textCut")) : null);
    } catch (error) {
        fill(byId("message-text"), make("p", { role: "alert" }, plain(error instanceof Error ? error.message : String(error), "\n")));
    }
}

// ---- what leaves a line in the history

/** @param {string} option @param {(found: Message) => void} draws */
async function look(option, draws) {
    const id = shown;
    fill(byId("message-looked"));
    try {
        const found = /** @type {Message} */ ((await run("show", [option], [id]))[0]);
        if (id !== shown)
            return;
        draws(found);
        fill(byId("message-looked"), make("p", { class: "soft" }, say("looked")));
        await refresh();
    } catch (error) {
        if (id === shown)
            fill(byId("message-looked"), make("p", {}, plain(error instanceof Error ? error.message : String(error), "\n")));
    }
}

/** @param {Message} found */
function recipients(found) {
    const visible = found.visible_recipients ?? [];
    const hidden = found.hidden_recipients ?? [];
    fill(byId("message-recipients"), make("h3", {}, say("visibleRecipients")),
        visible.length === 0 ? make("p", {}, say("recipientsNone")) : make("ul", { class: "addresses" }, ...visible.map(each => make("li", {}, stranger(each.address), " ", each.name ? stranger(`"${each.name}"`) : null, " ", make("span", { class: "soft" }, plain(each.fields))))),
        make("h3", {}, say("hiddenRecipients")),
        hidden.length === 0 ? make("p", {}, say("recipientsNone")) : make("ul", { class: "addresses" }, ...hidden.map(each => make("li", {}, stranger(each)))),
        found.recipients_cut ? make("p", { class: "soft" }, say("recipientsCut")) : null);
}

/** A message can have 32 MB: a part at a time, so that the browser stays usable. @param {Message} found */
function source(found) {
    const text = (found.message ?? "").replace(/\r\n/g, "\n");
    const whole = make("pre", { tabindex: "0", role: "group", "aria-label": say("showMessage") });
    const left = make("p");
    let end = 0;
    const next = () => {
        const begin = end;
        end = cut(text, begin + SOURCE_STEP);
        add(whole, stranger(text.slice(begin, end), "\n\t"));
        fill(left, end >= text.length ? null : say("shownCharacters", { shown: end, all: text.length }), " ", end >= text.length ? null : button(say("showMore"), next, { class: "quiet" }));
        if (begin > 0)
            (left.querySelector("button") ?? whole).focus();
    };
    next();
    fill(byId("message-source"), whole, left);
}

/** Where a part of the text ends: after a line if there is one near, and never within a character. @param {string} text @param {number} end */
function cut(text, end) {
    if (end >= text.length)
        return text.length;
    const line = text.lastIndexOf("\n", end) + 1;
    if (line > end - 2000)
        return line;
    return /[\udc00-\udfff]/.test(text[end]) ? end + 1 : end;
}
