// What makes the console livelier. Every page does all it does without this file.

"use strict";

// The dashboard follows the figures. An answer holds one event; the browser comes back with its id by itself, unless it gets
// an answer that is none: then we ask again. What is not followed any more says so.
const live = document.querySelector("[data-live]");
if (live && "EventSource" in window) follow(live);

function follow(live) {
  let heard = Date.now();
  let isOver = false;
  const word = document.createElement("p");
  word.className = "notice warning";
  word.setAttribute("role", "status");
  word.hidden = true;
  live.before(word);

  function stop(cause, link) {
    if (!word.hidden) return;
    word.textContent = `${cause} The figures below are of ${new Date(heard).toLocaleTimeString()}. `;
    if (link) word.append(link);
    word.hidden = false;
    live.classList.add("stale");
  }
  function go() {
    heard = Date.now();
    word.hidden = true;
    live.classList.remove("stale");
  }
  function listen() {
    const events = new EventSource(live.dataset.live);
    events.addEventListener("open", go);
    events.addEventListener("dashboard", (event) => {
      // Whoever is reading a table or is in the middle of it by keyboard is not disturbed.
      if (live.contains(document.activeElement) || live.matches(":has(.column:hover)")) return;
      const open = [...live.querySelectorAll("details[open][data-keep]")].map((part) => part.dataset.keep);
      live.innerHTML = event.data;
      for (const part of live.querySelectorAll("details[data-keep]")) part.open = open.includes(part.dataset.keep);
      refine(live);
    });
    events.addEventListener("ended", () => {
      isOver = true;
      events.close();
      const link = document.createElement("a");
      link.href = "/sign-in";
      link.textContent = "Sign in";
      word.hidden = true;
      stop("You are signed out.", link);
    });
    events.addEventListener("error", () => {
      if (events.readyState !== EventSource.CLOSED) return;
      stop("The console gives no answer, and is asked again.");
      setTimeout(listen, 5000);
    });
  }
  listen();
  // An answer takes twenty seconds at most.
  setInterval(() => { if (!isOver && Date.now() - heard > 45000) stop("The console gives no answer, and is asked again."); }, 5000);
}

// Times are written in UTC; pointing at one tells it in the reader's own zone.
function refine(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.valueOf())) time.title = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
  for (const title of root.querySelectorAll(".column > title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }
}
refine(document);

// The figures of a day appear at once where the pointer is.
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
document.body.append(tip);
document.addEventListener("pointermove", (event) => {
  const column = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
  tip.hidden = !column;
  if (!column) return;
  tip.textContent = column.dataset.tip;
  const right = event.clientX + 16 + tip.offsetWidth > window.innerWidth;
  tip.style.left = `${right ? event.clientX - 16 - tip.offsetWidth : event.clientX + 16}px`;
  tip.style.top = `${Math.max(8, event.clientY - tip.offsetHeight - 12)}px`;
});

// On a narrow screen the navigation is wider than the page: where one is comes into sight.
document.querySelector(".side nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.querySelector("[data-again]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) delete form.dataset.sent;
});

// "/" goes to the search field.
document.addEventListener("keydown", (event) => {
  const field = document.getElementById("search");
  if (event.key !== "/" || !field || event.target.closest("input, textarea, select")) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// What is marked so is copied by its button; without this file the text can be selected.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    if (!source) return;
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  });
}
