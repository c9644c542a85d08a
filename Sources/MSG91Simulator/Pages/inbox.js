// Fetches this page again every two seconds and takes over its list when it changed.
const list = document.querySelector("main");
const clear = document.getElementById("clear");

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (fresh && fresh.innerHTML !== list.innerHTML) list.replaceChildren(...fresh.childNodes);
  } catch {
    // The simulator is being restarted; the next turn will find it.
  }
}

clear.hidden = false;
clear.addEventListener("click", async () => {
  await fetch("/messages", { method: "DELETE" });
  await refresh();
});
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, 2000);
