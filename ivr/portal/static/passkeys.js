// Passkeys: asks the browser's authenticator, and sends on what it answers. The server checks everything.
"use strict";

const portal = new URL("..", document.currentScript.src); // it may stand below a path
const problem = document.getElementById("passkey-problem");

async function send(path, body) {
  const answer = await fetch(path, { method: "POST", body, headers: { "Content-Type": "application/json" } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}

async function ask(work) {
  problem.hidden = true;
  try {
    location.assign(await work());
  } catch (error) {
    problem.textContent =
      error.name === "NotAllowedError" ? "The passkey was not used: try again, or sign in with a password." : error.message;
    problem.hidden = false;
  }
}

async function signIn() {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(await send(new URL("passkeys/challenge", portal), "")));
  const credential = await navigator.credentials.get({ publicKey });
  return send(new URL("passkeys/sign-in", portal), JSON.stringify(credential));
}

async function join() {
  const here = location.pathname;
  const offered = JSON.parse(await send(`${here}/passkey/offer`, ""));
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(offered);
  const credential = await navigator.credentials.create({ publicKey });
  return send(`${here}/passkey`, JSON.stringify(credential));
}

if (window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON) {
  const button = document.getElementById("passkey");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => ask(signIn));
  }
  const section = document.getElementById("by-passkey");
  if (section) {
    section.hidden = false;
    document.getElementById("make-passkey").addEventListener("click", () => ask(join));
  }
}
