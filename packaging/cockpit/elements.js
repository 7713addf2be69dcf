/** elements - makes elements; text goes in as text nodes alone, never as HTML */

import { plain } from "./text.js";
import { local, utc } from "./times.js";

/** @typedef {Node | string | null | undefined} Child */

/**
 * An element with attributes and children.  An attribute that is true is empty, one that is false or null is left out.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number | boolean | null | EventListener>} [attributes] one that begins with "on" is a listener
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function")
            element.addEventListener(name.slice(2), value);
        else if (value !== false && value !== null)
            element.setAttribute(name, value === true ? "" : String(value));
    }
    add(element, ...children);
    return element;
}

/** @param {Node} parent @param {...Child} children */
export function add(parent, ...children) {
    for (const child of children) {
        if (child !== null && child !== undefined)
            parent.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
    }
}

/** @param {Element} parent @param {...Child} children */
export function fill(parent, ...children) {
    parent.replaceChildren();
    add(parent, ...children);
}

/**
 * Text from mail, so that its direction stays its own.
 * @param {string} text @param {string} [but]
 */
export function stranger(text, but = "") {
    return make("bdi", {}, plain(text, but));
}

/** A time in the reader's zone, UTC when the mouse is over it. @param {string} stamp @param {string} [shown] */
export function time(stamp, shown) {
    return make("time", { datetime: stamp, title: utc(stamp) }, shown ?? local(stamp));
}

/** @param {string} words @param {() => void} act @param {Record<string, string | boolean>} [attributes] */
export function button(words, act, attributes = {}) {
    return make("button", { type: "button", onclick: act, ...attributes }, words);
}

/**
 * Makes the children of an element anew; what a reader opened in it stays open.
 * @param {Element} parent @param {...Child} children
 */
export function refill(parent, ...children) {
    const opened = Array.from(parent.querySelectorAll("details"), each => each.open);
    fill(parent, ...children);
    parent.querySelectorAll("details").forEach((each, index) => { each.open = opened[index] ?? false; });
}

/** A list of names and values. @param {[string, Child][]} rows */
export function facts(rows) {
    const list = make("dl");
    for (const [name, value] of rows)
        add(list, make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    return list;
}

/** A row of a table. @param {"td" | "th"} tag @param {...(Child | [Child, string])} cells a cell with its class */
export function row(tag, ...cells) {
    return make("tr", {}, ...cells.map(cell => Array.isArray(cell)
        ? make(tag, { class: cell[1], ...(tag === "th" ? { scope: "col" } : {}) }, cell[0])
        : make(tag, tag === "th" ? { scope: "col" } : {}, cell)));
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
    return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** The address of a screen.  The document may have another base than its own address, so that "#/" alone would lead elsewhere. @param {...string} words */
export function place(...words) {
    return location.pathname + location.search + "#/" + words.map(encodeURIComponent).join("/");
}
