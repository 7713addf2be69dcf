/** plot - bars and days as SVG; a table beside each plot has the same for those who do not see it */

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} tag @param {Record<string, string | number>} attributes @param {...Node} children */
function draw(tag, attributes, ...children) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes))
        element.setAttribute(name, String(value));
    element.append(...children);
    return element;
}

/** @param {string} words @param {Record<string, string | number>} attributes */
function label(words, attributes) {
    const element = draw("text", attributes);
    element.textContent = words;
    return element;
}

/** One bar of a table's row. @param {number} part from 0 to 1 @param {string} kind a class of the style sheet */
export function bar(part, kind) {
    return draw("svg", { "aria-hidden": "true", class: "bar" }, draw("rect", { class: kind, x: 0, y: 0, width: `${part > 0 ? Math.max(0.4, 100 * part).toFixed(1) : 0}%`, height: "100%" }));
}

/** The next of 1, 2, 5, 10, 20, ... @param {number} most */
function ceiling(most) {
    let ten = 1;
    while (ten * 10 < most)
        ten *= 10;
    return ten * (most <= ten ? 1 : most <= 2 * ten ? 2 : most <= 5 * ten ? 5 : 10);
}

/**
 * Columns side by side, each a stack of parts.
 * @param {{name: string, columns: {kind: string, count: number}[][]}[]} groups
 * @param {string} words what a screen reader says of it
 * @param {(count: number) => string} number
 */
export function columns(groups, words, number) {
    const most = ceiling(Math.max(1, ...groups.flatMap(group => group.columns.map(parts => parts.reduce((sum, part) => sum + part.count, 0)))));
    const plot = draw("svg", { role: "img", "aria-label": words });
    for (const value of most === 1 ? [0, 1] : [0, most / 2, most]) {
        const y = 100 - 100 * value / most;
        plot.append(draw("line", { class: "grid", x1: "0%", x2: "100%", y1: `${y}%`, y2: `${y}%` }), label(Number.isInteger(value) ? number(value) : "", { class: "y", "text-anchor": "end", x: 0, y: `${y}%`, dx: -8, dy: 4 }));
    }
    const width = 100 / groups.length;
    const every = Math.ceil(groups.length / 8);
    groups.forEach((group, index) => {
        const each = 0.76 * width / group.columns.length;
        group.columns.forEach((parts, place) => {
            let below = 0;
            for (const part of parts) {
                const height = 100 * part.count / most;
                plot.append(draw("rect", { class: part.kind, x: `${(index * width + 0.12 * width + place * each).toFixed(2)}%`, width: `${(each * 0.94).toFixed(2)}%`, y: `${(100 - below - height).toFixed(2)}%`, height: `${height.toFixed(2)}%` }));
                below += height;
            }
        });
        if ((groups.length - 1 - index) % every === 0)
            plot.append(label(group.name, { class: "x", "text-anchor": "middle", x: `${((index + 0.5) * width).toFixed(2)}%`, y: "100%", dy: 20 }));
    });
    return plot;
}
