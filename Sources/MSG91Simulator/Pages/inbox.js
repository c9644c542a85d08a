// Keeps the page current without a reload: fetches it again and takes over the parts that changed.
const live = ["messages", "alerts", "faults", "failures"];
const markup = new Map();

function localTimes(root) {
  for (const time of root.querySelectorAll("time")) {
    const date = new Date(time.dateTime);
    if (!Number.isNaN(date.getTime())) {
      time.textContent = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
      time.title = date.toLocaleString();
    }
  }
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of live) {
      const now = document.getElementById(id);
      const next = fresh.getElementById(id);
      if (!now || !next || markup.get(id) === next.innerHTML) continue;
      markup.set(id, next.innerHTML);
      now.replaceChildren(...next.childNodes);
      localTimes(now);
      scrollDown(now);
    }
    document.title = fresh.title;
  } catch {
    // The simulator is being restarted; the next turn will find it.
  }
}

// A phone shows the newest message of a conversation.
function scrollDown(root) {
  for (const list of root.querySelectorAll(".thread ol")) list.scrollTop = list.scrollHeight;
}

document.addEventListener("click", async (event) => {
  const chip = event.target.closest(".chip");
  if (!chip) return;
  try {
    await navigator.clipboard.writeText(chip.dataset.code);
    const label = chip.querySelector("span");
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = "Copy"; }, 1200);
  } catch {
    getSelection().selectAllChildren(chip.querySelector("output"));
  }
});

// Forms stay where they are, so that their panels remain open.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const button = form.querySelector("button");
  const label = button.textContent;
  button.textContent = "Done";
  setTimeout(() => { button.textContent = label; }, 900);
  await refresh();
});

for (const id of live) markup.set(id, document.getElementById(id)?.innerHTML);
localTimes(document);
scrollDown(document);
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, 1000);
