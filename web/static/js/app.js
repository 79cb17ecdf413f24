// Everything works without this file. It saves a reload where one would be felt, and keeps open pages true.

// What a page shows of a cart, an order or a queue is read again when the server says that it changed. A hint that was
// missed while the connection was away is made up for when it is back.
function keepLive() {
  const region = document.querySelector("[data-live]");
  if (!region || !window.EventSource) return;
  const state = document.querySelector("[data-live-state]");
  const source = new EventSource(region.dataset.live);
  let wasAway = false;
  const show = (on) => {
    if (!state) return;
    state.classList.toggle("is-off", !on);
    const words = state.querySelector("[data-on]");
    words.textContent = on ? words.dataset.on : words.dataset.off;
  };
  source.addEventListener("open", () => { show(true); if (wasAway) refresh(); wasAway = false; });
  source.addEventListener("error", () => { show(false); wasAway = true; });
  source.addEventListener("changed", refresh);
  window.addEventListener("pagehide", () => source.close());
}

// A page that answers a form stands at the form's address, which cannot be read: it says where it can.
function pageOf(region) { return document.body.hasAttribute("data-posted") ? region.dataset.page : location.href; }

let refreshing = false, again = false;
async function refresh() {
  if (refreshing) { again = true; return; }
  refreshing = true;
  try {
    // Somebody is typing in the region: what they typed is worth more than what is new, and is read with the next change.
    const region = document.querySelector("[data-live]");
    const typing = region.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
    if (!typing) await htmx.ajax("GET", pageOf(region), { target: "#live", select: "#live", swap: "outerMorph" });
    else again = true;
  } finally {
    refreshing = false;
    if (again) { again = false; setTimeout(refresh, 400); }
  }
}

// What somebody typed about themselves stays in this tab until they have ordered: a detour to the cart costs them nothing.
function keepTyped() {
  const form = document.querySelector("form[data-keep]");
  if (document.querySelector(".order")) sessionStorage.removeItem("checkout");
  if (!form) return;
  const fields = [...form.querySelectorAll("input[type=text], input[type=email], input[type=tel], textarea")].filter((f) => !["code", "gift_card", "points"].includes(f.name));
  const kept = JSON.parse(sessionStorage.getItem("checkout") || "{}");
  for (const f of fields) if (!f.value && kept[f.name]) f.value = kept[f.name];
  form.addEventListener("input", () => sessionStorage.setItem("checkout", JSON.stringify(Object.fromEntries(fields.map((f) => [f.name, f.value])))));
}

// A form that is sent twice is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-once]")) {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    form.querySelector("button:not([type=button])")?.setAttribute("aria-busy", "true");
  }
});
window.addEventListener("pageshow", () => document.querySelectorAll("[data-once]").forEach((form) => {
  delete form.dataset.sent;
  form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
}));

// A page of the admin has several forms. Whoever leaves one of them changed, also by sending another, is asked first.
{
  const changed = new Set();
  let sent;
  document.querySelector(".admin-main")?.addEventListener("input", (event) => {
    const form = event.target.closest("form[method=post]");
    if (form) changed.add(form);
  });
  document.addEventListener("submit", (event) => { sent = event.target; });
  addEventListener("beforeunload", (event) => {
    if (![...changed].some((form) => form !== sent && form.isConnected)) return;
    event.preventDefault();
    // Who stays may send what they sent before.
    setTimeout(() => document.querySelectorAll("[data-sent]").forEach((form) => { delete form.dataset.sent; form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy")); }), 500);
  });
}

// Where a choice changes the total, the form asks the page again: without a script there is a button for it.
document.addEventListener("change", (event) => {
  const asks = event.target.closest("[data-asks]");
  const form = asks?.closest("form");
  if (!form) return;
  const button = document.createElement("button");
  button.name = "do";
  button.value = asks.dataset.asks;
  button.hidden = true;
  form.append(button);
  delete form.dataset.sent;
  form.requestSubmit(button);
});

// Filters and the distance box answer in place.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-live-form]");
  if (form && event.target.matches("select, input[type=checkbox]")) send(form);
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-live-form]")) return;
  event.preventDefault();
  send(form);
});
async function send(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value !== "") query.append(name, value);
  const address = form.getAttribute("action").split("#")[0] + "?" + query;
  const target = form.dataset.liveForm;
  await htmx.ajax("GET", address, { target, select: target, swap: "outerMorph" });
  history.replaceState(null, "", address);
}

// At the counter a scanner types wherever the cursor is: the search box has it unless somebody is filling in a form, and "/" brings it back. Letters are keys where nobody types;
// a scanner's first letter is told from a key by what follows at once.
let scanned = 0;
document.addEventListener("keydown", (event) => {
  const box = document.querySelector("[data-keep-focus] input");
  if (!document.querySelector(".counter-head") || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = document.activeElement.matches("input, textarea, select");
  if (event.key === "Escape" && typing) { if (document.activeElement === box) box.value = ""; document.activeElement.blur(); return; }
  if (["ArrowDown", "ArrowUp"].includes(event.key) && (!typing || document.activeElement === box)) { move(event); return; }
  if (typing) return;
  if (event.key === "/") { event.preventDefault(); box?.focus(); box?.select(); return; }
  if (event.key === "?") { document.querySelector("[data-keys]")?.showModal(); return; }
  if (event.key.length !== 1 || event.key === " ") return;
  const wanted = event.key.toLowerCase() === "n" ? document.querySelector(".counter-sale button") : document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!wanted || event.repeat) { box?.focus(); return; }
  event.preventDefault();
  const mine = ++scanned;
  const more = (next) => { if (next.key.length === 1) { scanned++; if (box) { box.focus(); box.value = event.key; } } };
  document.addEventListener("keydown", more, { once: true, capture: true });
  setTimeout(() => { document.removeEventListener("keydown", more, { capture: true }); if (mine === scanned) wanted.click(); }, 120);
});

// move goes from row to row of the counter's lists.
function move(event) {
  const rows = [...document.querySelectorAll("a.row")];
  if (rows.length === 0) return;
  const at = rows.indexOf(document.activeElement), step = event.key === "ArrowDown" ? 1 : -1;
  event.preventDefault();
  rows[Math.min(rows.length - 1, Math.max(0, at + step))].focus();
}

// What is fetched for an order is ticked in place by a tap, or by scanning it. The page is read again after each: another till may tick too.
function picking() {
  const region = document.querySelector(".pickup-what");
  if (!region?.querySelector("[data-tick]")) return;
  const plain = (code) => code.toUpperCase().replace(/[\s-]/g, "").replace(/^0+/, "");
  let sent = Promise.resolve();
  region.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-tick]");
    if (!form) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form)), line = form.closest("li"), open = Number(line.dataset.open), picked = Number(form.elements.picked.value);
    // The next tap or scan may come before the answer does.
    form.elements.picked.value = picked < open ? picked + 1 : 0;
    line.dataset.left = open - picked;
    sent = sent.then(() => fetch(form.action, { method: "POST", body })).then((answer) => { if (answer.ok) refresh(); else throw answer; }).catch(() => location.reload());
  });
  document.querySelector(".pickup-do form")?.addEventListener("submit", (event) => {
    const left = [...region.querySelectorAll("[data-left]")].some((line) => line.dataset.left !== "0"), said = region.querySelector("[data-picked]");
    if (!left || region.dataset.asked) return;
    event.preventDefault();
    event.stopPropagation();
    region.dataset.asked = "1";
    said.classList.add("is-short");
    said.textContent += ". " + said.dataset.ask;
  }, { capture: true });
  document.querySelector(".counter-search")?.addEventListener("submit", (event) => {
    const box = event.target.querySelector("input"), code = plain(box.value);
    const line = code && [...region.querySelectorAll("[data-left]")].find((l) => l.dataset.left !== "0" && l.dataset.codes.split(" ").some((c) => c && plain(c) === code));
    if (!line) return;
    event.preventDefault();
    box.value = "";
    line.querySelector("[data-tick]").requestSubmit();
  });
}

// The caret is where the error is.
const mistaken = document.querySelector("[aria-invalid=true]");
mistaken?.focus();
mistaken?.scrollIntoView({ block: "center" });

// A choice in a form that says so is sent at once; without a script there is a button for it.
document.documentElement.classList.add("sends");
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-sends]");
  if (form && event.target.matches("select")) form.requestSubmit(form.querySelector("button"));
});

// A form that shows what it would do asks again whenever it changes: the parts that are other than before are replaced.
let previews = 0;
document.addEventListener("change", async (event) => {
  const form = event.target.closest("form[data-preview]");
  if (!form) return;
  const asked = ++previews;
  const values = new URLSearchParams(new FormData(form));
  values.append("do", "count");
  const answer = await fetch(form.action, { method: "POST", body: values });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (asked !== previews) return;
  for (const part of document.querySelectorAll("[data-part]")) {
    const now = page.getElementById(part.id);
    const typing = part.contains(document.activeElement) && !event.target.matches("select") && part.contains(event.target) === false;
    if (!now || typing || now.isEqualNode(part)) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.replaceWith(now);
    if (focused) document.getElementById(focused)?.focus();
  }
});

// Cash: notes and a number pad fill the field, and the change shows while it is filled. What is typed in whole figures is figures, so that 50 on 42.00 is 50.
function countCash() {
  document.querySelectorAll("[data-cash]").forEach((region) => {
    const field = region.querySelector("input[name=given]"), pad = region.querySelector("[data-pad]"), change = region.querySelector("[data-change]");
    const { currency, language } = region.dataset, exponent = Number(region.dataset.exponent), due = Number(region.dataset.cash);
    const format = new Intl.NumberFormat(language, { style: "currency", currency });
    pad.hidden = false;
    const show = () => {
      const given = Math.round(Number(field.value.replace(",", ".")) * 10 ** exponent);
      change.hidden = !field.value || Number.isNaN(given);
      if (change.hidden) return;
      const words = change.querySelector("span"), short = given < due;
      words.textContent = short ? words.dataset.short : words.dataset.words;
      change.querySelector("b").textContent = format.format(Math.abs(given - due) / 10 ** exponent);
      change.classList.toggle("is-short", short);
    };
    field.addEventListener("focus", () => field.select());
    field.addEventListener("input", show);
    pad.addEventListener("click", (event) => {
      const { note, key } = event.target.closest("button")?.dataset ?? {};
      if (note) field.value = note;
      else if (key === "⌫") field.value = field.value.slice(0, -1);
      else if (key) field.value += key;
      show();
    });
    show();
  });
}

// Enter, where nobody types, is the one thing to do on the page.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.defaultPrevented || document.activeElement.closest("a, button, input, select, textarea, summary, dialog[open]")) return;
  document.querySelector("form[data-primary]")?.requestSubmit();
});

document.querySelectorAll("[data-print]").forEach((button) => { button.hidden = false; button.addEventListener("click", () => window.print()); });

document.addEventListener("click", (event) => {
  document.querySelectorAll("details.counter-who[open], details.popover[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
});

// Passkeys: what the authenticator needs comes from us as JSON, what it answers goes back in a form. Forms that need one appear only where the
// browser can.
function passkeys() {
  if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) return;
  const ask = async (address, form) => {
    const answer = await fetch(address, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    // What is wrong with the form is said by the page that it makes.
    if (!answer.headers.get("Content-Type")?.startsWith("application/json")) { form.action = address; form.submit(); throw new Error("refused"); }
    return answer.json();
  };
  const finish = async (form, credential, challenge) => {
    if (challenge) form.elements.challenge.value = challenge;
    form.elements.answer.value = JSON.stringify(credential.toJSON());
    form.submit();
  };
  const wire = (selector, prove) => document.querySelectorAll(selector).forEach((form) => {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      prove(form).catch(() => form.classList.add("is-refused")); // The person thought better of it.
    });
  });
  const get = (options) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey) });
  wire("form[data-passkey-make]", async (form) => {
    const { options, challenge } = await ask(form.dataset.passkeyMake, form);
    await finish(form, await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey) }), challenge);
  });
  wire("form[data-passkey-ask]", async (form) => {
    const { options, challenge } = await ask(form.dataset.passkeyAsk, form);
    await finish(form, await get(options), challenge);
  });
  wire("form[data-passkey-get]", async (form) => finish(form, await get(JSON.parse(form.dataset.passkeyGet)), ""));
}

// Where somebody is only their browser can say, and it asks them first.
function position() {
  const region = document.querySelector("[data-here]");
  if (!region || !navigator.geolocation) return;
  region.hidden = false;
  const form = region.querySelector("form[data-position]");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const send = (place) => {
      form.elements.latitude.value = place?.coords.latitude ?? "";
      form.elements.longitude.value = place?.coords.longitude ?? "";
      form.submit();
    };
    navigator.geolocation.getCurrentPosition(send, () => send(), { timeout: 10000, maximumAge: 60000 });
  });
}

// A counter that nobody touches locks over the page, so that half-written forms stay. The server keeps the time too; this only shows it.
function lockWhenIdle() {
  const head = document.querySelector("[data-idle]"), dialog = document.querySelector("[data-lock]");
  const seconds = () => Number(head?.dataset.idle);
  if (!dialog || !seconds()) return;
  let timer;
  let locked = false;
  const inPlace = (address, body) => fetch(address, { method: "POST", body, headers: { "X-In-Place": "1" }, redirect: "manual" });
  const lock = () => { locked = true; dialog.showModal(); inPlace("/staff/lock"); };
  const wait = () => { clearTimeout(timer); if (!locked) timer = setTimeout(lock, seconds() * 1000); };
  ["pointerdown", "keydown", "scroll"].forEach((kind) => document.addEventListener(kind, wait, { passive: true }));
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("close", () => { if (locked) dialog.showModal(); });
  dialog.querySelector('form[action="/staff/unlock"]').addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target, box = form.elements["unlock-secret"];
    const answer = await inPlace(form.action, new URLSearchParams(new FormData(form)));
    box.value = "";
    if (answer.status === 204) { locked = false; form.querySelector(".field-error").hidden = true; dialog.close(); wait(); return; }
    // Anything but a wrong PIN means that the session is over: what is on the screen is for nobody then.
    if (answer.status !== 422 && answer.status !== 429) { location.href = "/staff/sign-in"; return; }
    form.querySelector(".field-error").hidden = false;
    box.focus();
  });
  wait();
}

countCash();
picking();
keepLive();
keepTyped();
passkeys();
position();
lockWhenIdle();

// A table of fields is edited like a spreadsheet: arrows move between its rows, what is pasted from one fills the fields below and beside.
document.querySelectorAll("table[data-grid]").forEach((table) => {
  const rows = () => [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("input:not([type=hidden], [type=checkbox]), select")]);
  const find = (field) => { const all = rows(), y = all.findIndex((row) => row.includes(field)); return [all, y, y < 0 ? -1 : all[y].indexOf(field)]; };
  table.addEventListener("keydown", (event) => {
    const [all, y, x] = find(event.target);
    if (y < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const select = event.target.matches("select"), to = { ArrowUp: y - 1, ArrowDown: y + 1, Enter: y + 1 }[event.key];
    if (to === undefined || select && event.key !== "Enter") return;
    event.preventDefault();
    const field = all[to]?.[x];
    field?.focus();
    field?.select?.();
  });
  table.addEventListener("paste", (event) => {
    const [all, y, x] = find(event.target), text = event.clipboardData.getData("text/plain");
    if (y < 0 || !/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    text.replace(/\r/g, "").replace(/\n$/, "").split("\n").forEach((line, dy) => line.split("\t").forEach((value, dx) => {
      const field = all[y + dy]?.[x + dx];
      if (!field) return;
      const option = field.matches("select") ? [...field.options].find((o) => o.text === value.trim() || o.value === value.trim()) : null;
      if (!field.matches("select")) field.value = value.trim();
      else if (option) field.value = option.value;
    }));
  });
});

// Files are dropped where they are added, and go at once.
document.querySelectorAll("form[data-drop]").forEach((form) => {
  const box = form.closest("li"), input = form.querySelector("input[type=file]");
  form.querySelector("button").hidden = true;
  input.addEventListener("change", () => { if (input.files.length) form.requestSubmit(); });
  box.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) { event.preventDefault(); box.classList.add("is-over"); } });
  box.addEventListener("dragleave", () => box.classList.remove("is-over"));
  box.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
});

// What is dragged in a list takes a place in it, and the list's form says so.
function dragging(list, moved) {
  let held;
  list.addEventListener("dragstart", (event) => { held = event.target.closest("[data-id]"); event.dataTransfer.effectAllowed = "move"; });
  const over = (event) => { const at = event.target.closest("[data-id]"); return held && at && at !== held ? at : null; };
  const clear = () => list.querySelectorAll(".is-over, .is-into").forEach((li) => li.classList.remove("is-over", "is-into"));
  list.addEventListener("dragover", (event) => {
    const at = over(event);
    if (!at) return;
    event.preventDefault();
    clear();
    const box = at.getBoundingClientRect();
    at.classList.add(list.hasAttribute("data-tree") && event.clientY > box.top + box.height * 0.5 ? "is-into" : "is-over");
  });
  list.addEventListener("dragend", () => { held = null; clear(); });
  list.addEventListener("drop", (event) => {
    const at = over(event);
    if (!at) return;
    event.preventDefault();
    moved(held, at, at.classList.contains("is-into"));
  });
}
const post = (address, fields) => {
  const form = document.createElement("form");
  form.method = "post";
  form.action = address;
  for (const [name, value] of Object.entries(fields)) { const input = document.createElement("input"); input.type = "hidden"; input.name = name; input.value = value; form.append(input); }
  document.body.append(form);
  form.submit();
};
document.querySelectorAll("[data-sortable]").forEach((list) => dragging(list, (held, at) => {
  at.before(held);
  post(list.dataset.sortable, { order: [...list.querySelectorAll("[data-id]")].map((li) => li.dataset.id).join(",") });
}));
document.querySelectorAll("[data-tree]").forEach((list) => dragging(list, (held, at, into) =>
  post(`/admin/departments/${held.dataset.id}/move`, into ? { parent: at.dataset.id, before: 0 } : { parent: at.dataset.parent, before: at.dataset.id })));

// The part of a picture that is shown is drawn over it.
document.querySelectorAll("[data-crop]").forEach((region) => {
  const image = region.querySelector("img"), box = region.querySelector(".crop-box"), field = (name) => region.querySelector(`[name=${name}]`);
  const draw = () => {
    const width = Number(field("crop_width").value), whole = width === 1000;
    const height = Math.min(width * 1.25 * image.naturalWidth / image.naturalHeight, 1000) || 0;
    field("crop_left").max = 1000 - width;
    box.hidden = whole && Number(field("crop_top").value) === 0;
    box.style.inlineSize = `${width / 10}%`;
    box.style.blockSize = `${height / 10}%`;
    box.style.insetInlineStart = `${field("crop_left").value / 10}%`;
    box.style.insetBlockStart = `${Math.min(field("crop_top").value, 1000 - height) / 10}%`;
  };
  region.addEventListener("input", draw);
  image.addEventListener("load", draw);
  region.closest("details")?.addEventListener("toggle", draw);
});

// A picture that is being drawn is there a moment later.
if (document.querySelector("[data-drawing]")) setTimeout(() => { if (!document.querySelector("form :focus")) location.reload(); }, 2500);

// On a phone the admin's places are one row: the one that is open is in view.
document.querySelector("[data-rail] [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// The command menu: Ctrl or ⌘ with K, from anywhere in the admin. What it finds is the page of what was found.
function commandMenu() {
  const dialog = document.querySelector("[data-command]"), input = dialog?.querySelector("input"), found = dialog?.querySelector("#command-found");
  if (!dialog) return;
  let asked = 0, timer;
  const at = () => found.querySelector(".is-at"), links = () => [...found.querySelectorAll("a")];
  const mark = (link) => { at()?.classList.remove("is-at"); link?.classList.add("is-at"); link?.scrollIntoView({ block: "nearest" }); };
  const ask = async () => {
    const mine = ++asked;
    const answer = await fetch("/admin/find?" + new URLSearchParams({ q: input.value }));
    if (!answer.ok || mine !== asked) return;
    const list = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("found");
    if (list) { list.removeAttribute("id"); found.replaceChildren(list); mark(links()[0]); }
  };
  const open = () => { dialog.showModal(); input.value = ""; input.focus(); ask(); };
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open(); return; }
    const typing = document.activeElement.matches("input, textarea, select");
    if (dialog.open || typing || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
    if (event.key === "/") { event.preventDefault(); document.querySelector(".admin-main input[type=search]")?.focus(); return; }
    document.querySelector(`.admin-main [data-key="${CSS.escape(event.key.toLowerCase())}"]`)?.click();
  });
  document.querySelector("[data-find]").addEventListener("click", (event) => { event.preventDefault(); open(); });
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
  input.addEventListener("keydown", (event) => {
    const all = links(), i = all.indexOf(at());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); mark(all[Math.max(0, Math.min(all.length - 1, i + (event.key === "ArrowDown" ? 1 : -1)))]); }
    if (event.key === "Enter" && at()) { event.preventDefault(); location.href = at().href; }
  });
}
commandMenu();
