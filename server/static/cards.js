// Cards of a message: what is proposed, what was found, what was done. Text only, never markup from outside.

const KINDS = { refund: "Refund", cancel_subscription: "Cancellation", payment_plan: "Payment plan" };

function make(tag, text, ...children) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

function money(minor, currency) {
  const format = new Intl.NumberFormat("en", { style: "currency", currency: currency.toUpperCase() });
  const { maximumFractionDigits } = format.resolvedOptions();
  return format.format(minor / 10 ** maximumFractionDigits);
}

function link(text, address) {
  const element = make("a", text);
  const url = new URL(address, location.href);
  if (!["http:", "https:"].includes(url.protocol)) return make("span", text);
  element.href = url.href;
  element.target = "_blank";
  element.rel = "noopener noreferrer";
  return element;
}

function day(iso) {
  return new Date(iso).toLocaleDateString("en", { dateStyle: "long", timeZone: "UTC" });
}

function proposal(data, send) {
  const box = make("div", "", make("h2", `${KINDS[data.kind] ?? data.kind}: ${money(data.amount, data.currency)}`));
  if (data.reason) box.append(make("p", data.reason));
  if (data.needs_approval) box.append(make("p", "A person on our team has to approve this."));
  for (const part of data.details?.schedule ?? []) {
    box.append(make("p", `${day(part.due)}: ${money(part.amount, data.currency)}`));
  }
  const yes = make("button", "Yes, do it");
  const no = make("button", "No");
  yes.className = "yes";
  for (const [button, words] of [[yes, "yes please"], [no, "no, thank you"]]) {
    button.type = "button";
    button.addEventListener("click", () => {
      yes.disabled = no.disabled = true;
      send(words);
    });
  }
  const pair = make("div", "", yes, no);
  pair.className = "buttons";
  box.append(pair);
  return box;
}

function invoice(data) {
  const words = `Invoice ${data.number}, ${day(data.date)}: ${money(data.amount, data.currency)}, ${data.status}`;
  const row = make("p", words);
  if (data.pdf_url) row.append(" ", link(`PDF of invoice ${data.number}`, data.pdf_url));
  return make("div", "", row);
}

function moment(iso) {
  return new Date(iso).toLocaleString("en-US", { dateStyle: "long", timeStyle: "short" });
}

function duplicate(data) {
  const rows = data.charges.map((charge) => {
    const where = charge.last4 ? `, card ending ${charge.last4}` : "";
    return make("li", `${moment(charge.at)}: ${money(charge.amount, charge.currency)}${where}`);
  });
  return make("div", "", make("h2", "Two charges"), make("ul", "", ...rows));
}

function receipt(data, _send, fetchReceipt) {
  const box = make("div", "", make("h2", `Receipt ${data.number}`));
  box.append(make("p", `${KINDS[data.kind] ?? "Done"}: ${money(data.amount, data.currency)}, ${day(data.at)}`));
  const digest = make("p");
  const more = make("button", "Check this receipt");
  more.type = "button";
  more.addEventListener("click", async () => {
    const found = await fetchReceipt(data.number);
    const same = found && found.digest === data.digest;
    digest.textContent = same ? `On record, SHA-256 ${found.digest}` : "This receipt could not be found.";
  });
  box.append(more, digest);
  return box;
}

const FORMS = { proposal, invoice, duplicate, receipt };

export function card(data, send, fetchReceipt) {
  const form = FORMS[data.type];
  if (!form) return document.createDocumentFragment(); // a card of a later version is no reason to fail
  const element = form(data, send, fetchReceipt);
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
