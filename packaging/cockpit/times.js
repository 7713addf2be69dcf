/** times - RFC 3339 times in the reader's zone, and how long something takes */

import { say } from "./text.js";

const LOCAL = new Intl.DateTimeFormat("en-GB", { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

/** @param {string} stamp */
export function local(stamp) {
    const parts = Object.fromEntries(LOCAL.formatToParts(new Date(stamp)).map(part => [part.type, part.value]));
    return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second} ${parts.timeZoneName}`;
}

/** @param {string} stamp */
export function utc(stamp) {
    const when = new Date(stamp);
    return isNaN(when.getTime()) ? stamp : say("utc", { time: when.toISOString().slice(0, 19).replace("T", " ") });
}

/** @param {number} seconds @returns {string} */
export function duration(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 120)
        return say("seconds", { n: whole });
    if (whole < 2 * 3600)
        return say("minutes", { n: Math.floor(whole / 60) });
    return whole < 2 * 86400 ? say("hours", { n: Math.floor(whole / 3600) }) : say("days", { n: Math.floor(whole / 86400) });
}

/** Seconds since then. @param {string} stamp */
export function since(stamp) {
    return (Date.now() - Date.parse(stamp)) / 1000;
}

/** The day of the reader in which it was: 2026-11-23. @param {Date} when */
export function dayKey(when) {
    return `${when.getFullYear()}-${String(when.getMonth() + 1).padStart(2, "0")}-${String(when.getDate()).padStart(2, "0")}`;
}

/** @param {Date} when */
export function dayName(when) {
    return DAY.format(when);
}
