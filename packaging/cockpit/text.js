/** text - strings of the page with their values, and text of strangers made visible */

import { STRINGS } from "./strings.js";

/** What cannot be seen or turns the text round: controls, formats, separators, private and lone halves, and blanks that are letters. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\u115f\u1160\u2800\u3164\uffa0]|\u034f|\u17b4|\u17b5/gu;

/** @param {string} character @returns {string} */
function escaped(character) {
    const point = /** @type {number} */ (character.codePointAt(0));
    return point > 0xffff ? "\\U" + point.toString(16).toUpperCase().padStart(8, "0") : "\\u" + point.toString(16).toUpperCase().padStart(4, "0");
}

/**
 * Text in which nothing is hidden: a character that is not seen becomes \uXXXX.
 * @param {string} text
 * @param {string} [but] characters that stay
 * @returns {string}
 */
export function plain(text, but = "") {
    return text.replace(UNSEEN, character => but.includes(character) ? character : escaped(character));
}

/**
 * A string of the page with its values.
 * @param {keyof typeof STRINGS} name
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function say(name, values = {}) {
    return STRINGS[name].replace(/\{(\w+)\}/g, (_whole, word) => {
        const value = values[word];
        return typeof value === "number" ? number(value) : plain(value ?? "");
    });
}

/** @param {number} value @returns {string} */
export function number(value) {
    return value.toLocaleString("en");
}

/** @param {number} count @param {keyof typeof STRINGS} one @param {keyof typeof STRINGS} many */
export function plural(count, one, many) {
    return count === 1 ? say(one) : say(many, { n: count });
}

/** @param {number} bytes */
export function size(bytes) {
    if (bytes < 1000)
        return say("bytes", { n: bytes });
    return bytes < 1000000 ? say("kilobytes", { n: Math.round(bytes / 1000) }) : say("megabytes", { n: Math.round(bytes / 100000) / 10 });
}
