// What a call looks like on the page: captions, diagram, tones, seals, ledger and times. It talks to nobody.
const by = (id) => document.getElementById(id);
const WORDS = {
  payment: (m) => `${m.status}: ${m.amount} by ${m.card || "card"}${m.confirmation ? `, confirmation ${m.confirmation}` : ""}${m.code ? `, code ${m.code}` : ""}`,
  ledger: (m) => `attempt ${m.attempt}: ${m.what}, ${m.amount}${m.code ? `, code ${m.code}` : ""}`,
  text: (m) => `text: ${m.body} (${m.state})`,
};
const OUTCOMES = { paid: "The card was charged.", reserved: "An amount is reserved on the card, not taken.", unpaid: "The card was not charged.", pending: "Not known yet: it is being found out." };
const MOST_LINES = 300;
const spaced = (name) => name.replaceAll("_", " ");

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function append(list, item) {
  list.append(item);
  while (list.children.length > MOST_LINES) list.firstChild.remove();
  const scroll = list.closest(".scroll");
  scroll.scrollTop = scroll.scrollHeight;
}

export class View {
  ready() {
    by("phone").hidden = false;
    this.inCall(false);
  }

  begin(flow) {
    for (const id of ["captions", "seals", "money", "log"]) by(id).replaceChildren();
    this.sent = this.heard = 0;
    this.drawing(flow);
    for (const part of document.querySelectorAll(".now, .took")) part.classList.remove("now", "took");
    if (by("save")) by("save").disabled = true;
    for (const id of ["sent-tone", "heard-tone", "lost", "saved"]) by(id)?.replaceChildren();
    by("state").textContent = "Calling ...";
    this.counts();
  }

  drawing(flow) {
    for (const drawing of document.querySelectorAll("[data-flow]")) drawing.hidden = drawing.dataset.flow !== flow;
  }

  inCall(is) {
    by("call").disabled = is;
    by("hang-up").disabled = !is;
    for (const id of ["ani", "flow", "language"]) by(id).disabled = is;
    for (const key of by("keypad").children) key.disabled = !is;
  }

  sound(words) {
    by("sound").textContent = words;
  }

  lost(words) {
    by("lost").textContent = words;
    by("state").textContent = "Ended.";
  }

  pressed(key, tones) {
    this.sent += 1;
    this.flash(key);
    by("sent-tone").textContent = tones ? `${key} = ${tones[0]} Hz + ${tones[1]} Hz` : "hidden: a card's";
    this.counts();
  }

  flash(key) {
    const button = by("keypad").querySelector(`[data-key="${key}"]`);
    button.classList.add("down");
    setTimeout(() => button.classList.remove("down"), 120);
  }

  counts() {
    by("counts").textContent = `${this.sent} sent, ${this.heard} heard`;
  }

  show(message) {
    this["on_" + message.is]?.(message);
  }

  saving(words) {
    by("saved").textContent = words;
  }

  on_call(m) {
    if (by("save")) by("save").disabled = false;
    by("state").textContent = "In the call.";
    this.line(m, `call ${m.id} from ${m.caller}`);
  }

  on_says(m) {
    append(by("captions"), element("li", m.words));
    this.line(m, `says "${m.words}"`);
  }

  on_asks(m) {
    by("state").textContent = `Asked: ${spaced(m.field)}${m.sensitive ? " (sealed as it completes)" : ""}`;
  }

  on_heard(m) {
    this.heard += 1;
    by("heard-tone").textContent = m.key === "•" ? "• (hidden)" : m.key;
    this.counts();
    this.line(m, `hears ${m.key}`);
  }

  on_tone(m) {
    by("heard-tone").textContent += `, ${m.lasted_ms} ms`;
  }

  on_step(m) {
    this.line(m, `${spaced(m.step || "start")} (${m.phase})`, m.took_ms);
    const drawing = document.querySelector("[data-flow]:not([hidden])");
    for (const old of drawing.querySelectorAll(".now")) old.classList.remove("now");
    m.way.forEach((step, place) => {
      this.mark(drawing, `[data-step="${step}"]`, "took");
      if (place) this.mark(drawing, `[data-from="${m.way[place - 1]}"][data-to="${step}"]`, "took");
    });
    if (m.step) this.mark(drawing, `[data-step="${m.step}"]`, "now");
    if (m.phase === "waiting") by("state").textContent = "On hold: the bank is asked.";
  }

  mark(drawing, selector, name) {
    for (const part of drawing.querySelectorAll(selector)) part.classList.add(name);
  }

  on_sealed(m) {
    const items = m.fields.map((one) => element("li", `${spaced(one.field)} ${"*".repeat(one.stars)} sealed: ${one.characters} characters that only the bank can open`));
    if (!items.length) items.push(element("li", "deleted: nothing of the card is kept"));
    by("seals").replaceChildren(...items);
    this.line(m, m.fields.length ? `sealed: ${m.fields.map((one) => spaced(one.field)).join(", ")}` : "sealed fields deleted");
  }

  on_payment(m) {
    this.money(m, "payment");
  }

  on_ledger(m) {
    this.money(m, "ledger");
  }

  on_text(m) {
    this.money(m, "text");
  }

  money(m, kind) {
    append(by("money"), element("li", WORDS[kind](m), `${kind} ${m.status || m.what || ""}`));
    this.line(m, WORDS[kind](m));
  }

  on_hung_up(m) {
    this.line(m, "the line hangs up");
  }

  on_transferred(m) {
    this.line(m, `the caller is connected to ${m.number} (nobody is rung from here)`);
  }

  on_over(m) {
    const to = m.transferred_to ? ` Connected to ${m.transferred_to}.` : "";
    by("state").textContent = `${OUTCOMES[m.outcome] || ""}${m.hung_up ? " You hung up." : ""}${to}`;
    this.line(m, `over: ${m.outcome}${m.hung_up ? ", hung up" : ""}`);
  }

  line(m, words, tookMs) {
    const row = element("tr", "");
    const took = tookMs === undefined ? "" : `${tookMs.toFixed(0)} ms`;
    row.append(element("td", (m.at / 1000).toFixed(2), "number"), element("td", words), element("td", took, "number"));
    append(by("log"), row);
  }
}
