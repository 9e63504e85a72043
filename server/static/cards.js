// Cards of a message: what is proposed, what was found, what was done. Text only, never markup from outside.

import { button, day, facts, link, make, moment, money, title } from "/static/parts.js";
import { linkCard, proposal } from "/static/proposals.js";

function invoice(data) {
  const words = `Invoice ${data.number}, ${day(data.date)}: ${money(data.amount, data.currency)}, ${data.status}`;
  const row = make("p", words);
  if (data.pdf_url) row.append(" ", link(`PDF of invoice ${data.number}`, data.pdf_url));
  return make("div", "", row);
}

function duplicate(data) {
  const rows = data.charges.map((charge) => {
    const where = charge.last4 ? `, card ending ${charge.last4}` : "";
    return make("li", `${moment(charge.at)}: ${money(charge.amount, charge.currency)}${where}`);
  });
  return make("div", "", make("h2", "Two charges"), make("ul", "", ...rows));
}

function receipt(data, door) {
  const box = make("div", "", make("h2", `Receipt ${data.number}`));
  box.append(make("p", `${title(data)}, ${day(data.at)}`));
  const whole = make("div");
  whole.tabIndex = -1;
  const more = button("Show the receipt", async () => {
    more.remove();
    const found = await door.receipt(data.number);
    const same = found && found.digest === data.digest;
    whole.append(...(same ? [written(found), file(found)] : [make("p", "This receipt could not be found.")]));
    whole.focus();
  });
  box.append(whole, more);
  return box;
}

function written({ number, body, digest, created_at }) {
  const approvals = (body.approved_by ?? []).filter((one) => one.verdict === "approve");
  return facts([
    ["Number", number],
    ["Issued", moment(created_at)],
    ["You agreed", body.confirmed_by && when(body, "confirmed")],
    ["Approved by", approvals.map((one) => one.agent).join(", ")],
    ["Carried out", when(body, "succeeded")],
    ["Why", body.policy?.at(-1)?.because],
    ["Rule", `${body.rule}, policy of ${body.policy_version}`],
    ["Payment provider's number", body.stripe_id],
    ["SHA-256", digest],
  ]);
}

function when(body, state) {
  const step = (body.steps ?? []).find((one) => one.state === state);
  return step && moment(step.at);
}

// The very file that `counterfoil receipt verify --json` checks against the ledger.
function file(found) {
  const link = make("a", "Save as a file");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(found, null, 2)], { type: "application/json" }));
  link.download = `${found.number}.json`;
  return link;
}

const FORMS = { proposal, invoice, duplicate, receipt, link: linkCard };

export function card(data, door) {
  const form = FORMS[data.type];
  if (!form) return document.createDocumentFragment(); // a card of a later version is no reason to fail
  const element = form(data, door);
  element.className = "card";
  return element;
}

export function citations(list) {
  const rows = list.map((one) => make("li", `${one.title} (${one.document} v${one.version}), “${one.section}”`));
  const element = make("ul", "", ...rows);
  element.className = "citations";
  element.setAttribute("aria-label", "Sources");
  return element;
}
