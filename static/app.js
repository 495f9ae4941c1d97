// What the server-rendered pages can't do by themselves. Data is only ever written as text.
"use strict";

// Stays until it is closed or a later request succeeds. ``link``: an address that opens beside this page.
// ``filter``: it was the filter form that failed.
function message(words, { link, filter } = {}) {
  const area = document.getElementById("message");
  area.replaceChildren();
  if (!words) return;
  const text = document.createElement("span");
  text.textContent = words;
  area.append(text);
  const button = (label, kind, act) => {
    const it = document.createElement("button");
    it.type = "button";
    it.className = kind;
    it.textContent = label;
    it.addEventListener("click", act);
    area.append(it);
  };
  if (link) {
    const way = document.createElement("a");
    way.className = "button";
    way.href = link;
    way.target = "_blank";
    way.textContent = "Sign in";
    area.append(way);
  }
  if (filter) button("Try again", "button", () => document.getElementById("filters").requestSubmit());
  button("Close", "button quiet", () => {
    message("");
    if (unanswered) asListed();
  });
}

// From the moment that a filter is chosen until a list comes, the form says what the list is not: tapping the
// same choice again changes nothing, and so sends nothing.
let unanswered = false;

// Whoever gives up a filter goes on from the list as it is: the address tells its filters.
function asListed() {
  const asked = new URLSearchParams(location.search);
  const form = document.getElementById("filters");
  for (const field of form.querySelectorAll("[name]")) {
    const value = asked.get(field.name) ?? "";
    if (field.type === "radio") field.checked = field.value === value;
    else field.value = value;
  }
  for (const choices of form.querySelectorAll("fieldset")) {
    const chosen = choices.querySelector(":checked") ?? choices.querySelector("input");
    chosen.checked = true;
    tell(chosen);
  }
  unanswered = false;
}

// The server answered, but with an error that base.html tells htmx not to show (noSwap).
function whatItMeans(status, retryAfter, reading) {
  const seconds = /^\d+$/.test(retryAfter ?? "") ? Number(retryAfter) : 0;
  const later = seconds ? `Try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.` : "Try again in a moment.";
  const nothing = reading ? "" : " Nothing was changed.";
  if (status === 400) return "This page is out of date. Reload it and try again.";
  if (status === 403) return "You don't have the right to do this.";
  if (status === 404) return "This no longer exists, or you can't view it.";
  if (status === 411 || status === 413 || status === 415) return `This is too large, or not what is expected here.${nothing}`;
  if (status === 429) return `Too many requests. ${later}`;
  if (status === 502 || status === 504) return `The server can't be reached. ${reading ? later : "Reload the page to see whether your last change was saved."}`;
  if (status === 503) return `The server is busy.${nothing} ${later}`;
  if (status >= 500) return `Something went wrong on the server.${nothing}`;
  return "";  // 401 leaves the page, or asks to sign in beside it; 409 and 422 bring the form again, with its own words
}

document.addEventListener("htmx:response:error", (event) => {
  const { request, response } = event.detail.ctx;
  if (unasked(event.detail.ctx)) return;
  // Back leads to a page that can't be had any more: show what the server says of it, under its own address.
  if (request.headers["HX-History-Restore-Request"] && response.status !== 401) location.reload();
  const words = whatItMeans(response.status, response.headers.get("Retry-After"), request.method === "GET");
  message(words, { filter: event.detail.ctx.sourceElement.id === "filters" });
  if (unsavedForm() && response.status === 400) renew();
});

// At 401 the window moves to the sign-in, or is loaded again; from a form that was not saved it does neither.
document.addEventListener("htmx:before:response", (event) => {
  if (event.detail.ctx.response.status !== 401 || !unsavedForm()) return;
  event.preventDefault();
  renew();
});

// Whoever signed in again beside a form that was not saved goes on with it: it gets the new sign-in's token.
// Another person gets nothing of it.
let signInEnded = false;
async function renew() {
  const answer = await fetch(location.href).catch(() => null);
  if (!(answer?.status < 500)) return message("The server can't be reached. Try again in a moment.");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const person = (of) => of.querySelector(".menu-panel .menu-more")?.textContent;
  const ended = signInEnded;
  signInEnded = !person(page);
  if (signInEnded) {
    message("Your sign-in ended. Nothing was saved, and what you typed is still here.", { link: "/sign-in" });
  } else if (person(page) === person(document)) {
    const token = page.querySelector('[name="csrf_token"]').value;
    for (const field of document.querySelectorAll('[name="csrf_token"]')) field.value = token;
    const headers = "hx-headers:inherited";
    document.body.setAttribute(headers, page.body.getAttribute(headers));
    message("You signed in again meanwhile. What you typed is still here: save it now.");
  } else if (ended) {
    delete unsavedForm()?.dataset.unsaved;
    location.reload();
  } else {
    message("Somebody else signed in here meanwhile. What you typed was not saved, and is not saved for them. Reload to go on as them.");
  }
}
document.addEventListener("visibilitychange", () => {
  if (signInEnded && document.visibilityState === "visible") renew();
});

// No answer: the network is down, or it took longer than defaultTimeout. Of a save nobody knows whether it happened.
document.addEventListener("htmx:error", (event) => {
  const { ctx, error } = event.detail;
  if (unasked(ctx)) return;
  const why = error === "timeout" ? "The server took too long to answer." : "The server can't be reached.";
  const saving = ctx && ctx.request.method !== "GET";
  const then = saving ? "It is not known whether it was done. Try again: it counts only once." : "Try again in a moment.";
  message(`${why} ${then}`, { filter: ctx?.sourceElement.id === "filters" });
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (unasked(ctx) || ctx.response.status >= 400) return;
  if (!ctx.sourceElement.matches("#refresh, #show-more")) unanswered = false;  // these two leave the list as it is
  if (!unanswered) message("");
});

// htmx would write the address of an error into the history. And what a form leads to takes the form's place there:
// Back leads to where one came from, not to a form that was sent.
document.addEventListener("htmx:before:history:update", (event) => {
  const { history, response, sourceElement } = event.detail;
  if (response && response.status >= 400) event.preventDefault();
  if (sourceElement.method === "post") history.type = "replace";
});

// An empty filter is no filter: keep "?type=&q=" out of the address.
document.addEventListener("htmx:config:request", (event) => {
  const { request, sourceElement } = event.detail.ctx;
  if (request.method !== "GET" || sourceElement.id === "choices") return;  // in a form an empty choice is a choice
  const url = new URL(request.action, location.href);
  for (const [name, value] of [...request.body]) {
    if (value === "") {
      request.body.delete(name);
      url.searchParams.delete(name);
    }
  }
  request.action = url.pathname + url.search;
});

// Who can't see the list hears how many it holds now.
const listWords = () => document.querySelector("[data-count]:not([hidden]) > span")?.textContent ?? "";
let heard = listWords();
document.addEventListener("htmx:after:swap", () => {
  const words = listWords();
  if (words !== heard) document.getElementById("announcement").textContent = words;
  heard = words;
});

// Passwords typed on a touch screen need to be seen.
function addShowButtons() {
  for (const box of document.querySelectorAll(".secret:not(:has(button))")) {
    const input = box.querySelector("input");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet";
    const show = (visible) => {
      input.type = visible ? "text" : "password";
      button.textContent = visible ? "Hide" : "Show";
      button.setAttribute("aria-label", visible ? "Hide password" : "Show password");
    };
    button.addEventListener("click", () => show(input.type === "password"));
    input.form.addEventListener("submit", () => show(false));  // or the browser would offer to remember it as a text
    show(false);
    box.append(button);
  }
}
addShowButtons();
document.addEventListener("htmx:after:swap", addShowButtons);

// Menus and pickers close like any: by a tap beside them, or Escape.
const openPanels = () => document.querySelectorAll("details:is(.menu, .picker)[open]");
document.addEventListener("click", (event) => {
  for (const panel of openPanels()) if (!panel.contains(event.target)) panel.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const panel of openPanels()) {
    panel.open = false;
    panel.querySelector("summary").focus();
  }
});

// What a tap opens at the end of a form comes into sight above the bar with Save.
document.addEventListener("toggle", (event) => {
  if (event.target.matches(".danger[open]")) event.target.scrollIntoView({ block: "nearest" });
}, true);

// A form that is sent the plain way is sent once: a double tap would use up a link, and then say that it is used.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
});

// Of many choices those are shown that have the letters typed, and those that are chosen. It asks the server nothing.
document.addEventListener("input", (event) => {
  const place = document.getElementById(event.target.dataset?.narrows);
  if (!place) return;
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const sought = plain(event.target.value.trim());
  for (const chip of place.querySelectorAll("label.chip")) {
    chip.hidden = !plain(chip.textContent).includes(sought) && !chip.querySelector(":checked");
  }
});
document.addEventListener("change", (event) => {
  if (event.target.dataset?.narrows) event.stopPropagation();  // it is no choice: no new plan
}, true);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.dataset?.narrows) event.preventDefault();  // and nothing to save
});

// What was chosen stands on what opened it.
function tell(choice) {
  const chosen = choice.closest(".picker")?.querySelector(".picker-chosen");
  if (chosen) chosen.textContent = choice.closest("label").textContent.trim();
}

// Whoever chose with a finger or the mouse is done there; the arrow keys may go on.
let lastTap = 0;
document.addEventListener("pointerup", () => { lastTap = Date.now(); });
document.addEventListener("change", (event) => {
  const picker = event.target.closest(".picker");
  if (!picker) return;
  tell(event.target);
  if (Date.now() - lastTap > 1_000) return;
  picker.open = false;
  picker.querySelector("summary").focus();
});

// A list that was narrowed is what one wants to see: on a tablet it comes up to the top of the window.
const FILTERED = /[?&](type|status|license|q|initial|group)=/;
function showList() {
  if (matchMedia("(pointer: coarse)").matches) document.querySelector(".list")?.scrollIntoView({ block: "start" });
}
let filtering = null;  // a card is drawn anew by its own answer: then htmx tells no more that it was asked by one
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.matches("#filters, .type")) filtering = ctx;
});
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx === filtering && !unanswered) showList();
});
if (FILTERED.test(location.search) && performance.getEntriesByType("navigation")[0]?.type === "navigate") showList();

// The second tap of a double tap on "Show more" is not meant for whoever has come under the finger.
let forMore = null;
document.addEventListener("click", (event) => {
  const again = forMore && event.timeStamp - forMore.timeStamp < 500
    && Math.hypot(event.clientX - forMore.clientX, event.clientY - forMore.clientY) < 30;
  forMore = event.target.closest("#show-more") ? event : null;
  if (!again || !event.target.closest("[data-username]")) return;
  event.preventDefault();
  event.stopPropagation();
}, true);

// The figures are read again every half minute while somebody may look at them; "Refresh" does the same by a tap.
// If no answer comes for two minutes they say that they are old.
const FIGURES_EVERY = 30_000;
const OLD_AFTER = 120_000;
const figuresTime = () => document.querySelector(".as-of time")?.dateTime;
let figures = { time: figuresTime(), come: Date.now(), asked: Date.now() };
function readFigures() {
  const now = Date.now();
  if (figuresTime() !== figures.time) figures = { time: figuresTime(), come: now, asked: now };
  const asOf = document.querySelector(".as-of");
  if (!asOf || document.visibilityState !== "visible") return;
  if (now - figures.come >= OLD_AFTER && !asOf.classList.contains("old")) {
    asOf.classList.add("old");
    asOf.querySelector("span").prepend("Old figures: ");
  }
  if (now - figures.asked >= FIGURES_EVERY && !document.querySelector("#progress.htmx-request")) {
    figures.asked = now;
    htmx.trigger("#figures", "figures");
  }
}
setInterval(readFigures, 1_000);
document.addEventListener("visibilitychange", readFigures);
// What nobody asked for fails in silence: the figures say themselves that they are old.
function unasked(ctx) {
  return ctx?.sourceElement?.id === "figures";
}

// Whatever a person does goes before the figures that come by themselves. And whoever chose a product or a card
// right after a letter has said all: the search for that letter, which comes a moment later, would undo the choice.
let choosing = null;
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (unasked(ctx)) return;
  if (ctx.sourceElement.id === "filters") unanswered = true;
  document.getElementById("figures")?.dispatchEvent(new Event("htmx:abort"));
  if (ctx.sourceElement.matches(".product, .type")) choosing = ctx;
  else if (choosing && ctx.sourceElement.id === "filters") event.preventDefault();
});
document.addEventListener("htmx:finally:request", (event) => {
  if (event.detail.ctx === choosing) choosing = null;
});

// Back to the page that the link means, as one left it: the newest before this one. The list of users is on Licenses
// too. A browser without the Navigation API knows only the page that one came from.
document.addEventListener("click", (event) => {
  const link = event.target.closest("#back, #cancel");
  if (!link) return;
  const means = (address) => {
    const { origin, pathname } = new URL(address, location.href);
    return origin === location.origin
      && (pathname === link.pathname || (link.pathname === "/users" && /^\/licenses(\/|$)/.test(pathname)));
  };
  const before = window.navigation
    ? navigation.entries().slice(0, navigation.currentEntry.index).map((entry) => entry.url)
    : history.length > 1 ? [document.referrer] : [];
  const place = before.findLastIndex(means);
  if (place < 0) return;
  event.preventDefault();
  history.go(place - before.length);
});

// A way out sets what it names and asks for the new plan. Without scripting the server does the same.
document.addEventListener("click", (event) => {
  const way = event.target.closest("button.way");
  if (!way) return;
  event.preventDefault();
  const wanted = new URLSearchParams(way.value);
  for (const name of new Set(wanted.keys())) {
    const values = wanted.getAll(name);
    for (const field of way.form.querySelectorAll(`[name="${CSS.escape(name)}"]:not([type="hidden"])`)) {
      if (field.type === "radio" || field.type === "checkbox") field.checked = values.includes(field.value);
      else field.value = values[0];
      if (field.checked || values.includes("")) field.disabled = false;  // else it would not be sent
    }
  }
  way.closest(".field-error, .both tr")?.remove();
  document.getElementById("licensing").dispatchEvent(new Event("change", { bubbles: true }));
});

// Leaving a form that was changed and not saved asks first.
const unsaved = (event) => {
  const form = event.target.closest("#user-form");
  if (form && !event.target.dataset.narrows) form.dataset.unsaved = "yes";
};
document.addEventListener("input", unsaved);
document.addEventListener("change", unsaved);
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) delete event.target.dataset.unsaved;  // sent the plain way it leaves the page itself
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-drops]")) delete unsavedForm()?.dataset.unsaved;
});
function unsavedForm() {
  return document.querySelector("#user-form[data-unsaved]");
}
addEventListener("beforeunload", (event) => {
  if (unsavedForm()) event.preventDefault();
});

// What was done, or what is wrong: there the reading goes on after a form was sent.
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx.request.method === "GET") return;
  const place = document.querySelector("#main [data-focus]");
  place?.focus({ preventScroll: true });
  place?.scrollIntoView({ block: "center" });
});
