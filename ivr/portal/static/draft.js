// The page of a draft: an editor for each of its files, checked and completed by the server while somebody types.
// Without a script the page is a form of textareas, which checks when it is sent.
import { edit } from "./codemirror.js";

const CHECK_AFTER_MS = 500;
const form = document.getElementById("draft");
const by = (id) => document.getElementById(id);
const editors = new Map(); // by the file's name
let waiting = 0, checks = 0;

function send(address, more = {}) {
  const body = new FormData(form);
  for (const [name, value] of Object.entries(more)) body.set(name, value);
  return fetch(address, { method: "POST", body, cache: "no-store" });
}

async function offer(name, text, line, column) {
  if (name !== `${form.dataset.name}.yaml`) return null;
  try {
    const answer = await send(form.dataset.complete, { [name]: text, line, column });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the portal is away: one can still write
  }
}

function changed() {
  clearTimeout(waiting);
  waiting = setTimeout(check, CHECK_AFTER_MS);
  document.dispatchEvent(new Event("draft-changed"));
}

async function check() {
  const number = ++checks;
  try {
    const answer = await send(form.dataset.check);
    if (number !== checks) return; // a later one is on its way
    if (answer.ok) show((await answer.json()).problems);
    else told(`It could not be checked: ${await reason(answer)}`);
  } catch {
    told("It could not be checked: the portal does not answer.");
  }
}

export async function reason(answer) {
  if (answer.status === 401) return "you are signed out: sign in again in another tab, and keep what you have written.";
  if (answer.status === 413) return "it is too large for the portal: publish it from its files.";
  return (await answer.text()).slice(0, 300);
}

function told(words) {
  by("checked").textContent = words;
}

function show(problems) {
  for (const [name, editor] of editors) {
    const own = problems.filter((one) => one.file === name);
    editor.show(own);
    const count = form.querySelector(`[data-count="${CSS.escape(name)}"]`);
    const wrong = own.filter((one) => one.level === "problem").length;
    count.textContent = wrong;
    count.hidden = !wrong;
  }
  by("findings").replaceChildren(...problems.map(line));
  by("no-findings")?.remove();
  const wrong = problems.filter((one) => one.level === "problem").length;
  const advice = problems.length - wrong;
  told(`${wrong || "No"} problem${wrong === 1 ? "" : "s"}${advice ? `, ${advice} of advice` : ""}.`);
}

function line(one) {
  const item = document.createElement("li"), link = document.createElement("a");
  item.className = one.level === "advice" ? "advice" : "wrong";
  link.href = "#draft";
  link.dataset.file = one.file;
  link.dataset.line = one.line;
  link.textContent = `${one.file} line ${one.line}`;
  item.append(link, `: ${one.code} ${one.level === "advice" ? "advice: " : ""}${one.message}${one.cure ? ` (${one.cure})` : ""}`);
  return item;
}

for (const area of form.querySelectorAll("textarea")) {
  const nonce = form.dataset.nonce;
  editors.set(area.name, edit(area, { label: area.name, nonce, offer: (...at) => offer(area.name, ...at), changed }));
}
by("findings").addEventListener("click", (event) => {
  const link = event.target.closest("a"), editor = link && editors.get(link.dataset.file);
  if (!editor) return;
  event.preventDefault();
  form.querySelector(`textarea[name="${CSS.escape(link.dataset.file)}"]`).closest("details").open = true;
  editor.goTo(Number(link.dataset.line));
});
addEventListener("beforeunload", (event) => {
  if (checks && !form.dataset.sent) event.preventDefault();
});
form.addEventListener("submit", () => { form.dataset.sent = "yes"; });
show(JSON.parse(form.dataset.problems));
checks = 0;
