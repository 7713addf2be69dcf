/** picture - who would see whom: parties as bars, the largest first; numbers, and no addresses */

import { make, row, stranger } from "./elements.js";
import { number, plain, plural, say } from "./text.js";
import { bar } from "./plot.js";

/** @typedef {import("./rcptguardq.js").Party} Party */
/** @typedef {import("./rcptguardq.js").Message} Message */

/** @param {Party} party */
function name(party) {
    if (party.individuals)
        return party.parties > 1 ? say("partyIndividualsOf", { party: party.party ?? party.class, n: party.parties }) : say("partyIndividuals", { party: party.party ?? party.class });
    return party.party === null ? say("partyOthers", { n: party.parties, class: party.class }) : stranger(party.party);
}

/** That many bars are seen at once. */
const SEEN = 25;

/** @param {Party[]} parties @param {number} most */
function bars(parties, most) {
    return make("table", { class: "bars" }, make("thead", {}, row("th", say("party"), [say("partyPeople"), "n"], [make("span", { class: "unseen" }, say("picture")), "w"])),
        make("tbody", {}, ...parties.map(party => make("tr", {}, make("td", {}, name(party), " ", make("span", { class: "soft" }, plain(party.class))),
            make("td", { class: "n" }, number(party.people)), make("td", { class: "w" }, bar(party.people / most, party.class === "internal" ? "accept" : party.individuals ? "tag" : "quarantine"))))));
}

/** @param {Message} message */
export function picture(message) {
    const largest = message.largest ?? [];
    const most = Math.max(1, ...largest.map(party => party.people));
    return [
        make("p", { class: "sentence" }, say("pictureSentence", { recipients: plural(message.recipients ?? 0, "pictureRecipientsOne", "pictureRecipients"), visible: message.visible ?? 0, parties: message.parties ?? 0 })),
        (message.hidden ?? 0) > 0 ? make("p", { class: "soft" }, say("pictureHidden", { n: message.hidden ?? 0 })) : null,
        (message.internal ?? 0) > 0 ? make("p", { class: "soft" }, say("pictureInternal", { n: message.internal ?? 0 })) : null,
        largest.length === 0 ? null : bars(largest.slice(0, SEEN), most),
        largest.length <= SEEN ? null : make("details", {}, make("summary", {}, say("picturePartiesMore", { n: largest.length - SEEN })), bars(largest.slice(SEEN), most)),
    ];
}
