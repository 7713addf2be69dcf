/** theme - light or dark as the browser says or, inside of Cockpit, as its switch says */

const STYLE = "shell:style";
const WISH = matchMedia("(prefers-color-scheme: dark)");

/** What Cockpit's switch is set to. */
function chosen() {
    try {
        return localStorage.getItem(STYLE) ?? "auto";
    } catch {
        return "auto";
    }
}

function apply() {
    const style = chosen();
    document.documentElement.classList.toggle("dark", style === "dark" || (style !== "light" && WISH.matches));
}

/** Follows the browser, the switch in another frame, and the event that newer versions of the shell send. */
export function follow() {
    apply();
    WISH.addEventListener("change", apply);
    addEventListener("storage", event => { if (event.key === STYLE || event.key === null) apply(); });
    addEventListener("cockpit-style", apply);
}
