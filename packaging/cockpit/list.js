/** list - what is held: filter, order, choice of several; new messages appear in it */

import { add, button, byId, fill, make, place, stranger, time } from "./elements.js";
import { plain, plural, say } from "./text.js";
import { duration, since } from "./times.js";
import { idOf, run } from "./rcptguardq.js";

/** @typedef {import("./rcptguardq.js").Held} Held */
/** @typedef {import("./rcptguardq.js").Action} Action */

/** That many rows are made at once; scrolling to the end makes as many more. */
const STEP = 200;
const STATES = ["pending", "held", "releasing", "returning", "deleting", "released", "returned", "deleted", "left", "untracked"];

/** @type {{name: string, label: keyof typeof import("./strings.js").STRINGS, hint: keyof typeof import("./strings.js").STRINGS | null}[]} */
const FIELDS = [
    { name: "sender", label: "filterSender", hint: "filterSenderHint" },
    { name: "rule", label: "filterRule", hint: null },
    { name: "subject", label: "filterSubject", hint: "filterSubjectHint" },
    { name: "party", label: "filterParty", hint: "filterPartyHint" },
    { name: "user", label: "filterUser", hint: "filterUserHint" },
    { name: "older", label: "filterOlder", hint: "filterAgeHint" },
    { name: "newer", label: "filterNewer", hint: "filterAgeHint" },
];

/** @type {{key: string, label: keyof typeof import("./strings.js").STRINGS, of: (item: Held) => string | number, down: boolean, class: string}[]} */
const COLUMNS = [
    { key: "node", label: "columnNode", of: item => item.node ?? "", down: false, class: "node" },
    { key: "age", label: "columnAge", of: item => -Date.parse(item.arrival), down: false, class: "age" },
    { key: "subject", label: "columnSubject", of: item => (item.subject ?? "").toLowerCase(), down: false, class: "subject" },
    { key: "sender", label: "columnSender", of: item => item.sender.toLowerCase(), down: false, class: "sender" },
    { key: "rule", label: "columnRule", of: item => item.rule ?? "", down: false, class: "rule" },
    { key: "visible", label: "columnVisible", of: item => Math.max(item.visible ?? -1, inside(item)), down: true, class: "n visible" },
    { key: "parties", label: "columnParties", of: item => item.parties ?? -1, down: true, class: "n parties" },
    { key: "state", label: "columnState", of: item => item.state + String(item.approvals ?? 0), down: false, class: "state" },
    { key: "due", label: "columnDue", of: item => item.due ?? item.expires ?? "~", down: false, class: "due" },
];

/** @type {Held[]} */
let items = [];
/** @type {Held[]} in their order */
let ordered = [];
/** @type {Set<string>} */
const chosen = new Set();
/** @type {Map<string, {row: HTMLTableRowElement, of: string}>} */
const rows = new Map();
let sorted = { key: "age", descending: false };
let limit = STEP;
let known = false;
/** @type {string[]} */
let options = [];
/** @type {number | null} how many wait, whatever the filter is */
let waiting = null;

/** @param {Held} item */
function inside(item) {
    return Math.max(0, ...(item.inside ?? []).map(each => each.visible));
}

/** Whether it can be decided, as far as the list knows. @param {Held} item */
function open(item) {
    return item.on_hold && item.state !== "untracked";
}

// ---- making it

/** @param {(action: Action, items: Held[]) => void} decide @param {() => void} apply */
export function build(decide, apply) {
    const bar = make("div", { id: "list-chosen", role: "toolbar", "aria-label": say("decide"), hidden: true }, make("span", { id: "list-chosen-count", role: "status" }));
    for (const action of /** @type {Action[]} */ (["release", "return", "delete"]))
        add(bar, button(say(action) + say("ellipsis"), () => decide(action, items.filter(item => chosen.has(idOf(item)))), { class: action }));
    add(bar, button(say("chooseNone"), () => { chosen.clear(); draw(); }, { class: "quiet" }));
    const end = make("div", { id: "list-end" });
    new IntersectionObserver(seen => { if (seen.some(each => each.isIntersecting)) more(); }, { rootMargin: "600px" }).observe(end);
    setInterval(age, 20000);
    return make("section", { id: "list", "aria-labelledby": "list-heading", hidden: true },
        make("h1", { id: "list-heading", tabindex: "-1" }, say("title")),
        make("p", { id: "list-status", role: "status" }, say("loading")),
        filter(apply), make("div", { id: "list-place" }, table()), end, bar);
}

/** @param {() => void} apply */
function filter(apply) {
    const form = make("form", { id: "list-filter", "aria-label": say("filter"), novalidate: true });
    for (const field of FIELDS) {
        const hint = field.hint === null ? null : make("small", { id: "hint-" + field.name }, say(field.hint));
        add(form, make("div", { class: "field" }, make("label", { for: "filter-" + field.name }, say(field.label)),
            make("input", { id: "filter-" + field.name, name: field.name, type: "text", autocomplete: "off", spellcheck: "false", maxlength: 1000, "aria-describedby": hint === null ? null : hint.id }), hint));
    }
    const states = make("select", { id: "filter-state", name: "state" }, make("option", { value: "" }, say("filterStateAny")), ...STATES.map(state => make("option", { value: state }, state)));
    add(form, make("div", { id: "filter-node-field", class: "field", hidden: true }, make("label", { for: "filter-node" }, say("columnNode")),
        make("select", { id: "filter-node", name: "node" }, make("option", { value: "" }, say("filterNodeAny")))));
    add(form, make("div", { class: "field" }, make("label", { for: "filter-state" }, say("filterState")), states),
        make("div", { class: "field check" }, make("label", {}, make("input", { name: "all", type: "checkbox" }), " ", say("filterAll"))),
        make("div", { class: "buttons" }, make("button", { type: "submit" }, say("apply")),
            button(say("clear"), () => { form.reset(); form.requestSubmit(); }, { class: "quiet" })));
    form.addEventListener("submit", event => {
        event.preventDefault();
        options = optionsOf(form);
        limit = STEP;
        chosen.clear();
        apply();
    });
    return make("details", { id: "list-filter-box" }, make("summary", {}, say("filter")), form);
}

/** @param {HTMLFormElement} form @returns {string[]} as `--name=value`, so that no value is an option */
function optionsOf(form) {
    const data = new FormData(form);
    const found = [...FIELDS.map(field => field.name), "node", "state"].filter(name => data.get(name)).map(name => `--${name}=${String(data.get(name))}`);
    return data.get("all") ? [...found, "--all"] : found;
}

function table() {
    const all = make("input", { id: "choose-all", type: "checkbox", "aria-label": say("chooseAll"), onchange: event => {
        const on = /** @type {HTMLInputElement} */ (event.target).checked;
        chosen.clear();
        if (on)
            items.filter(open).forEach(item => chosen.add(idOf(item)));
        draw();
    } });
    const head = make("tr", { role: "row" }, make("th", { scope: "col", role: "columnheader", class: "choose" }, all));
    for (const column of COLUMNS)
        add(head, make("th", { scope: "col", role: "columnheader", class: column.class, "data-key": column.key }, button(say(column.label), () => sortBy(column.key))));
    return make("table", { id: "list-table", role: "table", hidden: true }, make("caption", { class: "unseen" }, say("listCaption")),
        make("thead", { role: "rowgroup" }, head), make("tbody", { role: "rowgroup" }));
}

/** @param {string} key */
function sortBy(key) {
    const column = COLUMNS.find(each => each.key === key);
    sorted = { key, descending: sorted.key === key ? !sorted.descending : column?.down ?? false };
    order();
    draw();
}

// ---- what is in it

/** Reads it again. */
export async function refresh() {
    const used = options;
    const found = /** @type {Held[]} */ (await run("list", used));
    if (used !== options)
        return;
    items = found;
    known = true;
    const there = new Set(items.filter(open).map(idOf));
    for (const id of chosen) {
        if (!there.has(id))
            chosen.delete(id);
    }
    order();
    draw();
}

/** Nothing is known any more: what is shown would be old. */
export function forget() {
    items = [];
    known = false;
    order();
    draw();
}

/** @param {number} count */
export function setWaiting(count) {
    waiting = count;
    if (known)
        status();
}

/** The nodes of a fleet can be chosen from; what is chosen stays. @param {string[]} names */
export function setNodes(names) {
    const select = /** @type {HTMLSelectElement} */ (byId("filter-node"));
    const there = Array.from(select.options, each => each.value).slice(1);
    for (const name of names.filter(each => !there.includes(each)))
        add(select, make("option", { value: name }, plain(name)));
    byId("filter-node-field").hidden = select.options.length === 1;
}

/** @param {string[]} ids */
export function unchoose(ids) {
    ids.forEach(id => chosen.delete(id));
    draw();
}

function order() {
    const column = COLUMNS.find(each => each.key === sorted.key) ?? COLUMNS[0];
    const keyed = items.map(item => ({ item, key: column.of(item) }));
    const sign = sorted.descending ? -1 : 1;
    keyed.sort((a, b) => sign * (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    ordered = keyed.map(each => each.item);
}

function status() {
    const strange = items.filter(item => item.state === "untracked").length;
    const words = options.length === 0 ? plural(items.length, "heldOne", "heldMany")
        : waiting === null ? say("found", { n: items.length }) : say("foundOf", { n: items.length, held: waiting });
    fillIfNew(byId("list-status"), [words, ...(items.length > 0 ? [] : [say(options.length === 0 ? "empty" : "nothingFound")]), ...(strange > 0 ? [say("untracked", { n: strange })] : [])].join(". "));
}

/** A live region speaks when it is set, also to the same. @param {Element} element @param {string} words */
function fillIfNew(element, words) {
    if (element.textContent !== words)
        element.textContent = words;
}

function draw() {
    byId("list-table").hidden = !known || items.length === 0;
    byId("list-table").classList.toggle("nodes", items.some(item => item.node !== undefined));
    fillIfNew(byId("list-status"), known ? byId("list-status").textContent ?? "" : "");
    for (const head of byId("list-table").querySelectorAll("th[data-key]"))
        head.setAttribute("aria-sort", head.getAttribute("data-key") !== sorted.key ? "none" : sorted.descending ? "descending" : "ascending");
    drawRows();
    drawChosen();
    if (known)
        status();
}

function drawRows() {
    const body = /** @type {HTMLTableSectionElement} */ (byId("list-table").querySelector("tbody"));
    const shown = ordered.slice(0, limit);
    const wanted = new Set(shown.map(idOf));
    for (const [id, each] of rows) {
        if (!wanted.has(id)) {
            each.row.remove();
            rows.delete(id);
        }
    }
    // First all of them: a row that has changed is replaced, and might be the one that is next.
    const elements = shown.map(rowOf);
    let next = body.firstElementChild;
    for (const element of elements) {
        if (element === next)
            next = next.nextElementSibling;
        else
            body.insertBefore(element, next);
    }
    const left = ordered.length - shown.length;
    fill(byId("list-end"), left <= 0 ? null : button(say("more", { n: Math.min(STEP, left) }), more, { class: "quiet" }),
        left <= 0 ? null : make("span", { class: "soft" }, say("shownOf", { shown: shown.length, all: ordered.length })));
}

function more() {
    if (ordered.length > limit) {
        limit += STEP;
        drawRows();
    }
}

function drawChosen() {
    for (const [id, each] of rows)
        boxOf(each.row).checked = chosen.has(id);
    const all = /** @type {HTMLInputElement} */ (byId("choose-all"));
    const possible = items.filter(open).length;
    all.checked = possible > 0 && chosen.size === possible;
    all.indeterminate = chosen.size > 0 && chosen.size < possible;
    byId("list-chosen").hidden = chosen.size === 0;
    fillIfNew(byId("list-chosen-count"), chosen.size === 0 ? "" : plural(chosen.size, "chosenOne", "chosenMany"));
}

/** @param {HTMLTableRowElement} element */
function boxOf(element) {
    return /** @type {HTMLInputElement} */ (element.querySelector("input"));
}

/** Its row; one that has changed gets new cells, so that its place and the focus in it stay. @param {Held} item */
function rowOf(item) {
    const { age: _age, ...rest } = item;
    const of = JSON.stringify(rest);
    const old = rows.get(idOf(item));
    if (old !== undefined && old.of === of)
        return old.row;
    const made = makeRow(item);
    if (old !== undefined) {
        const focused = old.row.contains(document.activeElement) ? document.activeElement : null;
        old.row.replaceChildren(...made.childNodes);
        if (focused !== null)
            (focused.matches("input") && !boxOf(old.row).disabled ? boxOf(old.row) : old.row.querySelector("a"))?.focus();
    }
    const row = old?.row ?? made;
    rows.set(idOf(item), { row, of });
    return row;
}

/** @param {Held} item */
function makeRow(item) {
    const box = make("input", { type: "checkbox", "aria-label": say("chooseId", { id: idOf(item) }), disabled: !open(item), onchange: () => {
        if (box.checked)
            chosen.add(idOf(item));
        else
            chosen.delete(idOf(item));
        drawChosen();
    } });
    /** @type {(name: string, label: keyof typeof import("./strings.js").STRINGS | null, ...children: import("./elements.js").Child[]) => HTMLElement} */
    const cell = (name, label, ...children) => make("td", { role: "cell", class: name, "data-label": label === null ? null : say(label) }, ...children);
    const extra = inside(item);
    return make("tr", { role: "row", "data-id": idOf(item) },
        cell("choose", null, box),
        item.node === undefined ? null : cell("node", "columnNode", stranger(item.node), item.node_away ? make("span", { class: "soft" }, " ", say("nodeAwayShort")) : null),
        cell("age", "columnAge", time(item.arrival, duration(since(item.arrival)))),
        cell("subject", null, make("a", { href: place("message", idOf(item)) }, item.subject ? stranger(item.subject) : say("noSubject"))),
        cell("sender", null, item.sender === "" ? say("nullSender") : stranger(item.sender)),
        cell("rule", "columnRule", item.rule === undefined ? say("none") : stranger(item.rule)),
        cell("n visible", "columnVisible", item.visible === undefined ? say("none") : extra > 0 ? say("visibleInside", { visible: item.visible, inside: extra }) : say("plainNumber", { n: item.visible })),
        cell("n parties", "columnParties", item.parties === undefined ? say("none") : say("plainNumber", { n: item.parties })),
        cell("state", null, stateOf(item)),
        cell("due", null, dueOf(item)));
}

/** @param {Held} item */
export function stateOf(item) {
    if (item.pending)
        return say("statePending", { action: item.pending.action, who: item.pending.who, node: item.node ?? "" });
    if (item.state !== "held" && item.state !== "pending")
        return item.who ? say("stateBy", { state: item.state, who: item.who }) : item.state;
    return (item.approvals_needed ?? 1) > 1 || (item.approvals ?? 0) > 0 ? say("approvals", { n: item.approvals ?? 0, needed: item.approvals_needed ?? 1 }) : item.state;
}

/** @param {Held} item */
function dueOf(item) {
    const stamp = item.due ?? item.expires;
    if (!stamp || !open(item))
        return item.stopped ? say("delayStopped", { rule: item.stopped }) : null;
    return time(stamp, dueWords(item, stamp));
}

/** @param {Held} item @param {string} stamp */
function dueWords(item, stamp) {
    const left = -since(stamp);
    return left <= 0 ? say("dueNow") : say(item.due ? "dueRelease" : item.expiry === "delete" ? "dueDelete" : "dueReturn", { time: duration(left) });
}

/** How long ago, and how long until then, goes on without anything having changed. */
function age() {
    for (const item of ordered.slice(0, limit)) {
        const cells = rows.get(idOf(item))?.row;
        const held = cells?.querySelector("td.age time");
        const due = cells?.querySelector("td.due time");
        const stamp = item.due ?? item.expires;
        if (held)
            held.textContent = duration(since(item.arrival));
        if (due && stamp)
            due.textContent = dueWords(item, stamp);
    }
}
