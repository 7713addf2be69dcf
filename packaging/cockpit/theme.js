/** theme - light or dark as the browser says (the style sheet does that) or, inside of Cockpit, as its switch says */

const STYLE = "shell:style";

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
    for (const each of ["light", "dark"])
        document.documentElement.classList.toggle(each, style === each);
}

/** Follows the switch in another frame, and the event that newer versions of the shell send. */
export function follow() {
    apply();
    addEventListener("storage", event => { if (event.key === STYLE || event.key === null) apply(); });
    addEventListener("cockpit-style", apply);
}
