// The card of an action: what it is, what became of it, and buttons that name exactly its digest.

import { KINDS, button, day, facts, link, make, method, money, title } from "/static/parts.js";

const FINAL = new Set(["succeeded", "failed", "declined", "rejected", "expired", "void"]);
const BEFORE = new Set(["confirmed", "awaiting_approval", "approved"]); // agreed to, and not begun
const STANDING = {
  confirmed: "You agreed to this. It is being taken care of.",
  awaiting_approval: "You agreed to this. It waits for a colleague's approval.",
  approved: "A colleague has approved this. It is being taken care of.",
  executing: "This is being carried out.",
  unknown: "This was sent. We are checking whether it went through.",
  failed: "This was not carried out.",
  declined: "You said no to this. Nothing was changed.",
  rejected: "A colleague did not approve this. Nothing was changed.",
  expired: "The time to answer this is over. Nothing was changed.",
  void: "This is no longer open. Nothing was changed.",
};
const FACTS = {
  refund: (d, sum) => [["Charged", `${sum(d.charged)} on ${day(d.date)}`], ["Back to", method(d)]],
  credit_note: (d) => [["Invoice", d.number], ["For", d.memo]],
  payment_plan: (d, sum) => [["Invoice", d.number], ...d.schedule.map((p) => [day(p.due), sum(p.amount)])],
  instalment: (d) => [["Invoice", d.number], ["Part", `${d.place} of ${d.of}`], ["From", method(d)]],
  extend_due_date: (d) => [["Invoice", d.number], ["Due now", day(d.due)], ["Then due", day(d.new_due)]],
  resend_invoice: (d) => [["Invoice", d.number], ["To", d.email]],
  cancel_subscription: (d) => [["Plan", d.plan], ["Active until", day(d.end)]],
  undo_cancel: (d) => [["Plan", d.plan]],
  pause_subscription: (d) => [
    ["Plan", d.plan],
    ["Active until", d.start && day(d.start)],
    ["Goes on", d.resumes && day(d.resumes)],
  ],
  resume_subscription: (d) => [["Plan", d.plan]],
  change_subscription: (d, sum) => [
    ["Now", seats(d.plan, d, d.old_quantity)],
    ["Then", seats(d.new_plan, d, d.quantity)],
    ["To pay now", d.due_now ? sum(d.due_now) : "nothing"],
    ["Next invoice", d.next_at && `${sum(d.next_invoice)} on ${day(d.next_at)}`],
  ],
  change_billing_details: (d) => Object.entries(d.changes).map(([name, value]) => [LABELS[name] ?? name, written(value)]),
};
const LABELS = { name: "Name", email: "E-mail", address: "Address", tax_id: "Tax number" };

// Of a change of seats alone: both plans have the same name.
function seats(plan, { price, old_quantity, quantity }, count) {
  if (price || old_quantity === quantity) return plan;
  return `${plan}, ${count} ${count === 1 ? "seat" : "seats"}`;
}

function written(value) {
  if (value === null || typeof value !== "object") return value;
  return value.value ?? Object.values(value).filter(Boolean).join(", ");
}

function about(data) {
  const sum = (minor) => money(minor, data.currency);
  const box = make("div", "", make("h2", title(data)));
  if (FACTS[data.kind] && data.details) box.append(facts(FACTS[data.kind](data.details, sum)));
  return box;
}

export function proposal(data, door) {
  const box = about(data);
  const standing = make("p");
  standing.className = "standing";
  standing.tabIndex = -1;
  const pair = make("div");
  pair.className = "buttons";
  box.append(standing, pair);

  // A press is taken once: the buttons are gone before anything is sent, and what comes back says what there is now.
  async function press(send, words) {
    pair.replaceChildren();
    standing.textContent = words;
    standing.focus();
    const refused = await send();
    await update();
    if (refused) standing.textContent = refused;
  }

  function offer(action) {
    const say = (confirm) => () => press(() => door.press(data.id, data.digest, confirm), "Sent.");
    if (action.state === "proposed") {
      standing.textContent = data.needs_approval ? "After your yes, a person on our team has to approve this." : "";
      pair.replaceChildren(button("Yes, do it", say(true), "yes"), button("No, thank you", say(false)));
    } else {
      const receipt = action.receipt ? `Done. Your receipt is ${action.receipt}.` : "Done.";
      standing.textContent = STANDING[action.state] ?? receipt;
      const back = () => press(() => door.takeBack(data.id, data.digest), "Taking it back.");
      pair.replaceChildren(...(BEFORE.has(action.state) ? [button("Take it back", back)] : []));
    }
  }

  async function update() {
    const action = await door.lookUp(data.id);
    if (!action) pair.replaceChildren();
    else if (action.digest === data.digest) offer(action);
    return !action || FINAL.has(action.state);
  }

  door.watch(update);
  return box;
}

// Stripe's own page for a new card. Its address is asked for when it is wanted, and held by this page alone.
export function linkCard(data, door) {
  const box = make("div", "", make("h2", KINDS[data.kind] ?? "Link"));
  const said = make("p", "The page belongs to our payment provider. We never see your card.");
  said.tabIndex = -1;
  const open = button("Get the link", async () => {
    open.remove();
    const { url, detail } = await door.openLink(data.action);
    if (url) said.replaceChildren(link("Open the secure page", url), make("span", " (it works for a few minutes)"));
    else said.textContent = detail;
    (said.querySelector("a") ?? said).focus();
  });
  box.append(said, open);
  return box;
}
