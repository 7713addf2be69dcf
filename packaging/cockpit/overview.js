/** overview - what waits, and what was held and decided in the last days */

import { byId, fill, make, refill, row, stranger, time } from "./elements.js";
import { bar, columns } from "./plot.js";
import { run } from "./rcptguardq.js";
import { number, plain, say } from "./text.js";
import { dayKey, dayName, duration, since } from "./times.js";

/** @typedef {import("./rcptguardq.js").Counts} Counts */
/** @typedef {{key: string, name: string, held: number, released: number, returned: number, deleted: number, expired: number}} Day */

const SPANS = [7, 14, 30, 90];
const KINDS = /** @type {const} */ (["released", "returned", "deleted", "expired"]);
const VERDICTS = ["accept", "tag", "quarantine", "reject", "tempfail"];

let span = 7;
let drawn = "";

/** @param {() => void} apply */
export function build(apply) {
    const select = make("select", { id: "overview-span", onchange: () => { span = Number(select.value); apply(); } }, ...SPANS.map(each => make("option", { value: each, selected: each === span }, say("spanDays", { n: each }))));
    return make("section", { id: "overview", "aria-labelledby": "overview-heading", hidden: true },
        make("h1", { id: "overview-heading", tabindex: "-1" }, say("overview")),
        make("p", {}, make("label", { for: "overview-span" }, say("span")), " ", select),
        make("div", { id: "overview-figures" }),
        make("section", { "aria-labelledby": "overview-held-heading" }, make("h2", { id: "overview-held-heading" }, say("heldPlot")), make("p", { class: "soft" }, say("heldPlotNote")), make("div", { id: "overview-held" })),
        make("div", { class: "two" },
            make("section", { "aria-labelledby": "overview-rules-heading" }, make("h2", { id: "overview-rules-heading" }, say("rules")), make("div", { id: "overview-rules" })),
            make("section", { id: "overview-nodes-box", "aria-labelledby": "overview-nodes-heading", hidden: true }, make("h2", { id: "overview-nodes-heading" }, say("nodes")), make("div", { id: "overview-nodes" })),
            make("section", { "aria-labelledby": "overview-verdicts-heading" }, make("h2", { id: "overview-verdicts-heading" }, say("verdicts")), make("div", { id: "overview-verdicts" }))));
}

export async function refresh() {
    const used = span;
    const found = /** @type {Counts} */ ((await run("counts", [`--newer=${used}d`]))[0]);
    if (used === span)
        draw(found);
}

export function forget() {
    drawn = "";
    for (const place of ["figures", "held", "rules", "nodes", "verdicts"])
        fill(byId("overview-" + place));
}

/** @param {Counts} counts @returns {Day[]} each day of the reader, also those in which nothing happened */
function days(counts) {
    /** @type {Map<string, Day>} */
    const found = new Map();
    const today = new Date();
    for (let back = span - 1; back >= 0; back--) {
        const when = new Date(today.getFullYear(), today.getMonth(), today.getDate() - back, 12);
        found.set(dayKey(when), { key: dayKey(when), name: dayName(when), held: 0, released: 0, returned: 0, deleted: 0, expired: 0 });
    }
    for (const hour of counts.hours) {
        const day = found.get(dayKey(new Date(hour.hour)));
        for (const kind of day === undefined ? [] : /** @type {const} */ (["held", ...KINDS]))
            /** @type {Day} */ (day)[kind] += hour[kind];
    }
    return [...found.values()];
}

/** @param {Day} day */
function decided(day) {
    return KINDS.reduce((sum, kind) => sum + day[kind], 0);
}

/** @param {Counts} counts */
function draw(counts) {
    const now = JSON.stringify([counts, span, dayKey(new Date())]);
    drawFigures(counts);
    if (now === drawn)
        return;
    drawn = now;
    const all = days(counts);
    drawHeld(all);
    drawRules(counts);
    drawNodes(counts);
    drawVerdicts(counts);
}

/** @param {Counts} counts */
function drawFigures(counts) {
    const all = days(counts);
    /** @type {(kind: string, value: import("./elements.js").Child, name: string) => HTMLElement} */
    const tile = (kind, value, name) => make("li", { class: kind }, make("strong", {}, value), make("span", {}, name));
    fill(byId("overview-figures"), make("ul", { class: "tiles" },
        tile("quarantine", number(counts.waiting), say("heldNow")),
        counts.oldest === null ? null : tile("quarantine", time(counts.oldest, duration(since(counts.oldest))), say("oldest")),
        tile("reject", number(counts.late), say("late")),
        counts.untracked === 0 ? null : tile("tempfail", number(counts.untracked), say("untrackedNow")),
        tile("tag", number(all.reduce((sum, day) => sum + day.held, 0)), say("heldIn", { days: span })),
        tile("accept", number(all.reduce((sum, day) => sum + decided(day), 0)), say("decidedIn", { days: span }))));
}

/** @param {Day[]} all */
function drawHeld(all) {
    const held = all.reduce((sum, day) => sum + day.held, 0);
    const most = Math.max(...all.map(day => Math.max(day.held, decided(day))));
    const plot = columns(all.map(day => ({ name: day.name, columns: [[{ kind: "held", count: day.held }], KINDS.map(kind => ({ kind, count: day[kind] }))] })),
        say("plotLabel", { held, decided: all.reduce((sum, day) => sum + decided(day), 0), days: span, most }), number);
    const kinds = /** @type {const} */ (["held", ...KINDS]);
    refill(byId("overview-held"), make("p", { class: "legend" }, ...kinds.map(kind => make("span", { class: "v " + kind }, say(kind)))), make("div", { class: "plot" }, plot),
        make("details", {}, make("summary", {}, say("plotTable")), make("table", {}, make("thead", {}, row("th", say("day"), ...kinds.map(kind => /** @type {[string, string]} */ ([say(kind), "n"])))),
            make("tbody", {}, ...all.slice().reverse().map(day => row("td", make("span", { class: "d" }, day.name), ...kinds.map(kind => /** @type {[string, string]} */ ([number(day[kind]), "n"]))))))));
}

/** @param {Counts} counts */
function drawRules(counts) {
    const most = Math.max(1, ...counts.rules.map(rule => rule.waiting));
    fill(byId("overview-rules"), counts.rules.length === 0 ? make("p", {}, say("rulesNone"))
        : make("table", { class: "bars" }, make("thead", {}, row("th", say("columnRule"), [say("ruleWaiting"), "n"], [make("span", { class: "unseen" }, say("rules")), "w"], [say("ruleOldest"), "n"])),
            make("tbody", {}, ...counts.rules.map(rule => row("td", stranger(rule.rule), [number(rule.waiting), "n"], [/** @type {Node} */ (bar(rule.waiting / most, "quarantine")), "w"], [time(rule.oldest, duration(since(rule.oldest))), "n"])))));
}

/** The nodes of a fleet: what waits on each, and which are away. @param {Counts} counts */
function drawNodes(counts) {
    byId("overview-nodes-box").hidden = counts.nodes === undefined;
    const nodes = counts.nodes ?? [];
    fill(byId("overview-nodes"), counts.nodes_said ? make("p", { class: "soft" }, say("nodesUnseen"), " ", plain(counts.nodes_said, "\n")) : null,
        make("table", {}, make("thead", {}, row("th", say("columnNode"), [say("ruleWaiting"), "n"], [say("nodePending"), "n"], say("nodeSeen"))),
            make("tbody", {}, ...nodes.map(each => row("td", stranger(each.node), [number(each.waiting), "n"], [number(each.pending), "n"],
                each.seen ? make("span", {}, say("nodeAway"), " ", time(each.seen)) : each.own ? say("nodeOwn") : say("nodeHere"))))));
}

/** @param {Counts} counts */
function drawVerdicts(counts) {
    const most = Math.max(1, ...counts.verdicts.map(each => each.messages));
    /** @param {string} verdict */
    const known = verdict => VERDICTS.includes(verdict) ? verdict : "accept";
    fill(byId("overview-verdicts"), counts.verdicts.length === 0 ? make("p", { class: "soft" }, plain(counts.verdicts_said ?? "", "\n")) : null,
        counts.verdicts_since === null || counts.verdicts.length === 0 ? null : make("p", { class: "soft" }, say("verdictsSince1"), " ", time(counts.verdicts_since), "."),
        counts.verdicts.length === 0 ? null : make("table", { class: "bars" }, make("thead", {}, row("th", say("verdict"), [say("messages"), "n"], [make("span", { class: "unseen" }, say("verdicts")), "w"])),
            make("tbody", {}, ...counts.verdicts.map(each => row("td", make("span", { class: "v " + known(each.verdict) }, plain(each.verdict)), [number(each.messages), "n"], [/** @type {Node} */ (bar(each.messages / most, known(each.verdict))), "w"])))));
}
