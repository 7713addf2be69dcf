// page_strings.mjs DIRECTORY    the page's strings: each is used, and none is written elsewhere
import fs from "node:fs";
import path from "node:path";
import url from "node:url";

const folder = path.resolve(process.argv[2]);
const { STRINGS } = await import(url.pathToFileURL(path.join(folder, "strings.js")).href);
const sources = fs.readdirSync(folder).filter(name => name.endsWith(".js") && name !== "strings.js")
    .map(name => ({ name, text: fs.readFileSync(path.join(folder, name), "utf8").replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "") }));
const all = sources.map(source => source.text).join("\n");
const found = [];

// Names that are put together of an action and a word.
const MADE = /^(?:many(?:Release|Return|Delete)|release|return|delete)Means$/;
for (const name of Object.keys(STRINGS)) {
    if (!all.includes(`"${name}"`) && !MADE.test(name))
        found.push(`strings.js: ${name} is not used`);
}
// Two words beside each other, with a capital first, are a sentence for a person.
for (const { name, text } of sources) {
    for (const [whole] of text.matchAll(/"[A-Z][a-z]+ [a-z][^"\n]*"/g))
        found.push(`${name}: ${whole} belongs into strings.js`);
}
for (const line of found)
    console.log(line);
process.exit(found.length === 0 ? 0 : 1);
