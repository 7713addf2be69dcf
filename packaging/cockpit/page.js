/** page - the screens, what wakes them, and trouble */

import * as decisions from "./decide.js";
import { add, button, byId, fill, make, place } from "./elements.js";
import * as history from "./history.js";
import * as list from "./list.js";
import * as message from "./message.js";
import * as overview from "./overview.js";
import { Failure, follow, idOf } from "./rcptguardq.js";
import { plain, say } from "./text.js";
import { follow as followTheme } from "./theme.js";
import { local } from "./times.js";

/** @typedef {"list" | "message" | "overview" | "history"} Screen */
/** @typedef {import("./rcptguardq.js").Outcome} Outcome */

/** Milliseconds until what ended by itself is tried again. */
const AGAIN = 10000;

/** @type {Record<Screen, {refresh: () => Promise<void>, forget: () => void}>} */
const SCREENS = { list, message, overview, history };

/** @type {Screen} */
let screen = "list";
let over = false;
/** Whether something changed since what is shown was read. */
let stale = false;
let reading = false;
/** How long the last reading took: the next one waits for some of that, so that a large list does not keep the machine busy. */
let took = 0;
/** @type {(() => void) | null} */
let endBell = null;

function build() {
    document.title = say("title");
    const links = make("nav", { "aria-label": say("screens") }, ...(/** @type {const} */ ([["nav-list", "", "list"], ["nav-overview", "overview", "overview"], ["nav-history", "history", "history"]]))
        .map(([id, where, name]) => make("a", { id, href: place(where) }, say(name))));
    const head = make("header", {}, links, window.parent === window ? button(say("logOut"), logOut, { id: "log-out", class: "quiet" }) : null);
    const main = make("main", { id: "main", tabindex: "-1" }, make("div", { id: "trouble", role: "alert", hidden: true }), make("div", { id: "silent", role: "status" }), make("div", { id: "nodes-away", role: "status" }), make("div", { id: "said", role: "status" }),
        list.build(decisions.ask, () => void read(true)), message.build(decisions.ask), overview.build(() => void read(true)), history.build(() => void read(true)));
    add(document.body, make("a", { class: "skip", href: "#main", onclick: event => { event.preventDefault(); main.focus(); } }, say("skip")), head, main, decisions.build(finished));
}

// ---- which screen

function route() {
    const [, name = "", id = ""] = location.hash.split("/");
    const before = screen;
    screen = name === "message" && id !== "" ? "message" : name === "overview" || name === "history" ? name : "list";
    if (screen === "message")
        message.open(decoded(location.hash.slice("#/message/".length)));
    for (const each of /** @type {Screen[]} */ (["list", "message", "overview", "history"]))
        byId(each).hidden = each !== screen || over;
    for (const each of ["list", "overview", "history"]) {
        if (each === screen)
            byId("nav-" + each).setAttribute("aria-current", "page");
        else
            byId("nav-" + each).removeAttribute("aria-current");
    }
    document.title = screen === "list" ? say("title") : say("titleOf", { what: screen === "message" ? decoded(id) : say(screen) });
    fill(byId("said"));
    if (before !== screen || screen === "message") {
        scrollTo(0, 0);
        byId(screen + "-heading").focus({ preventScroll: true });
    }
    void read(true);
}

/** @param {string} text */
function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

// ---- reading

/** Reads again what is shown; once at a time, and once more if something changed meanwhile. @param {boolean} [now] */
async function read(now = false) {
    stale = true;
    if (over || (reading && !now))
        return;
    if (reading) {
        again = true;
        return;
    }
    reading = true;
    do {
        again = false;
        stale = false;
        const begin = performance.now();
        const what = screen;
        const where = location.hash;
        try {
            await SCREENS[what].refresh();
            if (where === location.hash)
                trouble(null);
            await decisions.look();
        } catch (error) {
            if (where === location.hash || (error instanceof Failure && error.kind === "session"))
                trouble(error);
        }
        took = performance.now() - begin;
    } while (again);
    reading = false;
    if (stale)
        setTimeout(() => void read(), Math.min(15000, 2 * took));
}
/** Whether somebody asked for another screen or another filter while one was read. */
let again = false;

/** One process waits for what changes, and wakes the screen. */
function bell() {
    endBell = follow("1d", counts => {
        fill(byId("silent"));
        list.setWaiting(counts.waiting);
        list.setNodes((counts.nodes ?? []).map(each => each.node));
        sayAway(counts);
        void read();
    }, failure => {
        endBell = null;
        if (failure.kind === "session")
            trouble(failure);
        if (over)
            return;
        // What is shown may be old now, or may no longer be shown: read again, and say it if that works.
        const words = make("p", {}, say("silent"), " ", plain(failure.message, "\n"));
        if (byId("silent").textContent !== words.textContent)
            fill(byId("silent"), words);
        void read();
        setTimeout(bell, AGAIN);
    });
}

/** Which nodes of a fleet are away, or that none but this one is seen. @param {import("./rcptguardq.js").Counts} counts */
function sayAway(counts) {
    const away = (counts.nodes ?? []).filter(each => each.away);
    const lines = [...(counts.nodes_said ? [say("nodesUnseen") + " " + plain(counts.nodes_said, "\n")] : []),
        ...away.map(each => say("nodeIsAway", { node: each.node, time: each.seen ? local(each.seen) : say("none") }))];
    // A live region speaks when it is set.
    if (byId("nodes-away").textContent !== lines.join(""))
        fill(byId("nodes-away"), ...lines.map(line => make("p", {}, line)));
}

// ---- outcomes and trouble

/** @param {Outcome[]} outcomes @param {import("./elements.js").Child[]} others what else is to be said */
function finished(outcomes, others) {
    if (over)
        return;
    const done = outcomes.filter(decisions.isDone);
    const lines = done.slice(0, 20).map(each => each.said.startsWith(each.id + ":") ? each.said : idOf(each) + ": " + each.said);
    fill(byId("said"), done.length === 0 ? null : make("div", { class: "outcome" }, done.length === 1 ? null : make("p", {}, say("doneMany", { n: done.length })),
        ...lines.map(line => make("p", {}, plain(line))), done.length > lines.length ? make("p", {}, say("andMore", { n: done.length - lines.length })) : null), ...others);
    list.unchoose(done.map(idOf));
    void read(true);
    // The dialog gives the focus back to the button that opened it, which may be of no use any more.
    setTimeout(() => {
        const focused = document.activeElement;
        if (!decisions.isOpen() && (focused === null || focused === document.body || focused.getClientRects().length === 0))
            byId(screen + "-heading").focus();
    }, 0);
}

/** Says what is wrong, and shows nothing old beside it; null if nothing is. @param {unknown} error */
function trouble(error) {
    const box = byId("trouble");
    if (over)
        return;
    if (error === null) {
        if (!box.hidden) {
            box.hidden = true;
            fill(box);
            byId(screen).hidden = false;
        }
        return;
    }
    const failure = error instanceof Failure ? error : null;
    const words = error instanceof Error ? error.message : String(error);
    SCREENS[screen].forget();
    if (failure?.kind === "session") {
        over = true;
        endBell?.();
        fill(byId("silent"));
        Object.values(SCREENS).forEach(each => each.forget());
    }
    // The filter stays, to be put right.
    const usable = failure?.kind === "failed" && screen === "list";
    byId(screen).hidden = !usable;
    if (usable)
        fill(byId("list-status"));
    if (over)
        document.querySelectorAll("dialog[open]").forEach(each => /** @type {HTMLDialogElement} */ (each).close());
    fillTrouble(box, failure, words);
}

/** An alert is read out when it is set: not again while the same goes on. @param {HTMLElement} box @param {Failure | null} failure @param {string} words */
function fillTrouble(box, failure, words) {
    const now = saidOf(failure, words);
    const before = box.querySelectorAll("p, pre");
    if (!box.hidden && !over && before.length === now.length && now.every((each, index) => each.textContent === before[index].textContent))
        return;
    box.hidden = false;
    fill(box, ...now, over ? button(say("logIn"), () => location.reload()) : button(say("again"), () => void read(true)));
}

/** @param {Failure | null} failure @param {string} words */
function saidOf(failure, words) {
    if (failure === null)
        return [make("p", {}, say("bug", { what: words }))];
    if (failure.kind === "session")
        return [make("p", {}, words)];
    return [make("p", {}, say(failure.kind === "right" ? "noRight" : "failed")), make("pre", {}, plain(words, "\n"))];
}

function logOut() {
    over = true;
    endBell?.();
    document.body.replaceChildren();
    cockpit.logout(true);
}

followTheme();
build();
addEventListener("hashchange", route);
cockpit.transport.wait(() => {
    route();
    bell();
});
