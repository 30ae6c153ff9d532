// Nothing here is needed: without scripts every page and form works. The bars that show when the
// next check is due move, and "/" leads to the search.
addEventListener("DOMContentLoaded", () => {
  "use strict";

  const bars = [...document.querySelectorAll("progress[data-next]")].map((bar) => ({
    bar,
    words: bar.nextElementSibling,
    due: Date.now() + bar.dataset.next * 1000,
  }));
  const spell = (seconds) =>
    seconds > 7200
      ? `${Math.ceil(seconds / 3600)} h`
      : seconds > 120
        ? `${Math.ceil(seconds / 60)} min`
        : `${Math.ceil(seconds)} s`;
  const move = () => {
    const now = Date.now();
    for (const each of bars) {
      const every = each.bar.max;
      // The server says when a check is due only once: the next one follows after the same time.
      while (each.due < now) each.due += every * 1000;
      const left = (each.due - now) / 1000;
      each.bar.value = every - left;
      each.bar.classList.toggle("hot", left < 3);
      each.words.textContent = spell(left);
    }
  };
  if (bars.length) setInterval(move, 250);

  addEventListener("keydown", (event) => {
    const typing = document.activeElement?.matches("input, textarea, select");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = document.querySelector("input[type=search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
  });

  // The box in a table's head ticks all of it.
  for (const all of document.querySelectorAll("input[data-all]")) {
    all.hidden = false;
    all.addEventListener("change", () => {
      for (const box of all.form.querySelectorAll(`input[name="${all.dataset.all}"]`))
        box.checked = all.checked;
    });
  }
});
