/** history - who decided or looked, of one message or of all */

import { byId, fill, make, place, stranger, time } from "./elements.js";
import { plain, say } from "./text.js";
import { idOf, run } from "./rcptguardq.js";

/** @typedef {import("./rcptguardq.js").Entry} Entry */

const SPANS = ["1d", "7d", "30d", "90d"];
/** That many entries are shown, the newest. */
const LIMIT = 1000;

let span = "7d";
let drawn = "";

/** The words of its action and its detail; a look has its detail in its action. @param {Entry} entry */
function words(entry) {
    if (entry.action !== "look")
        return { action: plain(entry.action), detail: entry.detail ? stranger(entry.detail) : null };
    return { action: say(entry.detail === "recipients" ? "lookedAtRecipients" : "lookedAtMessage"), detail: null };
}

/** @param {Entry[]} entries @param {boolean} ids whether each says which message it is about */
export function trail(entries, ids) {
    if (entries.length === 0)
        return make("p", { class: "soft" }, say("trailNone"));
    /** @type {(name: string, ...children: import("./elements.js").Child[]) => HTMLElement} */
    const cell = (name, ...children) => make("td", { class: name, role: "cell" }, ...children);
    const heads = /** @type {const} */ (["trailTime", ...(ids ? /** @type {const} */ (["trailId"]) : []), "trailWho", "trailAction", "trailReason", "trailDetail", "trailWay"]);
    return make("table", { class: "trail", role: "table" }, make("caption", { class: "unseen" }, say(ids ? "history" : "trail")),
        make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads.map(head => make("th", { scope: "col", role: "columnheader" }, say(head))))),
        make("tbody", { role: "rowgroup" }, ...entries.map(entry => make("tr", { role: "row" }, cell("time", time(entry.time)),
            ids ? cell("id", make("a", { href: place("message", idOf(entry)) }, plain(idOf(entry)))) : null,
            cell("who", entry.who === null ? make("span", { class: "soft" }, say("nobody")) : make("span", {}, stranger(entry.who), entry.by_node ? make("span", { class: "soft" }, " ", say("byNode", { node: entry.by_node })) : null)), cell("action", words(entry).action),
            cell("reason", entry.reason ? stranger(entry.reason, "\n") : null), cell("detail", words(entry).detail), cell("way", plain(entry.way ?? ""))))));
}

/** @param {() => void} apply */
export function build(apply) {
    const select = make("select", { id: "history-span", onchange: () => { span = select.value; apply(); } }, ...SPANS.map(each => make("option", { value: each, selected: each === span }, say("spanDays", { n: parseInt(each, 10) }))));
    return make("section", { id: "history", "aria-labelledby": "history-heading", hidden: true }, make("h1", { id: "history-heading", tabindex: "-1" }, say("history")),
        make("p", { class: "soft" }, say("historyNote")), make("p", {}, make("label", { for: "history-span" }, say("historySpan")), " ", select), make("div", { id: "history-entries" }));
}

export async function refresh() {
    const used = span;
    const entries = /** @type {Entry[]} */ (await run("log", [`--newer=${used}`])).reverse();
    const now = JSON.stringify(entries);
    if (used !== span || now === drawn)
        return;
    drawn = now;
    fill(byId("history-entries"), entries.length === 0 ? make("p", {}, say("historyNone")) : trail(entries.slice(0, LIMIT), true),
        entries.length > LIMIT ? make("p", { class: "soft" }, say("shownOf", { shown: LIMIT, all: entries.length })) : null);
}

export function forget() {
    drawn = "";
    fill(byId("history-entries"));
}
