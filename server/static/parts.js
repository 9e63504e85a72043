// What cards are made of: elements, amounts, days. Text only, never markup from outside.

export const KINDS = {
  refund: "Refund",
  credit_note: "Credit",
  payment_plan: "Payment plan",
  instalment: "Instalment",
  extend_due_date: "More time to pay",
  resend_invoice: "Invoice by e-mail",
  cancel_subscription: "Cancellation",
  undo_cancel: "Cancellation taken back",
  pause_subscription: "Pause",
  resume_subscription: "End of the pause",
  change_subscription: "Change of plan",
  change_billing_details: "Billing details",
  payment_method_link: "New payment method",
};

// Of the others the amount is a mere price, or nothing: in a title it would look like a payment.
const MONEY = new Set(["refund", "credit_note", "payment_plan", "instalment"]);

const BRANDS = { visa: "Visa", mastercard: "Mastercard", amex: "American Express", jcb: "JCB", unionpay: "UnionPay" };

export function make(tag, text, ...children) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

export function button(text, press, name = "") {
  const element = make("button", text);
  element.type = "button";
  if (name) element.className = name;
  element.addEventListener("click", press);
  return element;
}

export function money(minor, currency) {
  const format = new Intl.NumberFormat("en", { style: "currency", currency: currency.toUpperCase() });
  const { maximumFractionDigits } = format.resolvedOptions();
  return format.format(minor / 10 ** maximumFractionDigits);
}

export function title({ kind, amount, currency }) {
  const name = KINDS[kind] ?? kind;
  return MONEY.has(kind) ? `${name}: ${money(amount, currency)}` : name;
}

export function link(text, address) {
  const element = make("a", text);
  const url = new URL(address, location.href);
  if (!["http:", "https:"].includes(url.protocol)) return make("span", text);
  element.href = url.href;
  element.target = "_blank";
  element.rel = "noopener noreferrer";
  return element;
}

export function method({ brand, last4 }) {
  return last4 && `${BRANDS[brand] ?? "Card"} ending in ${last4}`;
}

export function day(iso) {
  return new Date(iso).toLocaleDateString("en", { dateStyle: "long", timeZone: "UTC" });
}

export function moment(iso) {
  return new Date(iso).toLocaleString("en-US", { dateStyle: "long", timeStyle: "short" });
}

// Terms and what they are, as a list that reads well on a phone and aloud.
export function facts(rows) {
  const list = make("dl");
  for (const [term, value] of rows) {
    if (value !== undefined && value !== null && value !== "") list.append(make("dt", term), make("dd", value));
  }
  return list;
}
