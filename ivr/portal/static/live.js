// Calls as they go on: the server says each change, and the seconds in between are counted here. Nothing is asked for again.
"use strict";

(() => {
  const events = new URL("../live/events", document.currentScript.src); // the portal may stand below a path
  const place = document.getElementById("live");
  const state = document.getElementById("live-state");
  let ahead = Date.now() - Number(place.dataset.now); // how far this clock is ahead of the server's

  const count = () => {
    for (const cell of place.querySelectorAll("[data-since]")) {
      cell.textContent = Math.max(0, Math.floor((Date.now() - ahead - Number(cell.dataset.since)) / 1000));
    }
  };

  const source = new EventSource(events);
  source.onmessage = (message) => {
    const told = JSON.parse(message.data);
    ahead = Date.now() - told.now;
    const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    place.innerHTML = told.html; // made by our own template, which escapes what comes from outside
    if (focused) place.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    count();
  };
  source.onopen = () => { state.textContent = "What happens is shown as it happens."; };
  source.onerror = () => {
    state.textContent = source.readyState === EventSource.CLOSED
      ? "The connection has ended: load the page again, or sign in."
      : "The connection is away and is tried again; what is shown may be old.";
  };
  addEventListener("pagehide", () => source.close());
  count();
  setInterval(count, 1000);
})();
