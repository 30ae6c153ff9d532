// Nothing here is needed: without scripts the page shows every fact, and all links work.
// It is loaded in <head> without defer, so that the chosen theme is set before the first paint.
(() => {
  "use strict";

  const root = document.documentElement;
  root.dataset.js = "";
  const kept = store("localStorage");
  if (kept.theme) root.dataset.theme = kept.theme;
  // A language that was chosen once holds for all pages that are offered in it.
  if (kept.lang && kept.lang !== root.lang && "choosable" in root.dataset) {
    const session = store("sessionStorage");
    const wanted = new URL(location);
    if (wanted.searchParams.has("lang")) {
      session.refused = kept.lang;
    } else if (session.refused !== kept.lang) {
      wanted.searchParams.set("lang", kept.lang);
      location.replace(wanted);
    }
  }

  addEventListener("DOMContentLoaded", () => {
    const find = (selector, within = document) => within.querySelector(selector);
    const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];
    const make = (tag, text, className = "") =>
      Object.assign(document.createElement(tag), { textContent: text, className });
    const language = root.lang || "en";
    const texts = JSON.parse(root.dataset.texts || "{}");
    const fill = (text, parts) => text.replace(/\{(\w+)\}/g, (name, key) => parts[key] ?? name);

    for (const link of findAll("[data-lang]")) {
      const wanted = new URL(location);
      wanted.searchParams.set("lang", link.lang);
      link.href = wanted;
      link.addEventListener("click", () => {
        kept.lang = link.lang;
      });
    }
    find("#theme")?.addEventListener("click", () => {
      const dark = root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      kept.theme = root.dataset.theme;
    });

    // Times: the server writes them in the zone of the page, and here they are rewritten to the
    // one that was chosen.
    const zones = find("#tz");
    const forms = {
      d: { day: "numeric", month: "short", year: "numeric" },
      u: { day: "numeric", month: "short", year: "numeric" },
      t: { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" },
      dt: {
        day: "numeric",
        month: "short",
        hour: "2-digit",
        minute: "2-digit",
        hourCycle: "h23",
        timeZoneName: "short",
      },
    };
    const paintTimes = (within = document) => {
      const timeZone = zones?.value || undefined;
      const written = {};
      for (const time of findAll("time[data-f]", within)) {
        const form = time.dataset.f;
        written[form] ??= new Intl.DateTimeFormat(language, {
          ...forms[form],
          timeZone: form === "u" ? "UTC" : timeZone, // A day is the same in every zone.
        });
        time.textContent = written[form].format(new Date(time.dateTime));
        time.title = time.dateTime;
      }
    };
    if (zones) {
      const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
      zones.options[0].value = local;
      zones.options[0].text = fill(texts.local, { zone: local.replaceAll("_", " ") });
      zones.addEventListener("change", () => paintTimes());
      zones.closest("label").hidden = false;
    }
    paintTimes();

    // Bars: pointer, touch and arrow keys share one tooltip. What is not in the list of events
    // beside a bar was either operational or is not known, which the letters of the bar say.
    const DAYS = 90;
    const main = find("main");
    const tip = main.appendChild(make("div", ""));
    tip.id = "tip";
    tip.ariaHidden = "true"; // Spoken through aria-valuetext.
    const dayForm = new Intl.DateTimeFormat(language, {
      weekday: "short",
      day: "numeric",
      month: "short",
      year: "numeric",
      timeZone: "UTC",
    });
    const hide = (bar) => {
      tip.className = "";
      tip.bar = undefined;
      if (bar.mark) bar.mark.className = "";
    };
    const told = (bar, index) => {
      const event = find(`.ev li[data-i="${index}"]`, bar.parentElement);
      if (event) {
        const parts = findAll("span, em", event).map((part) => part.cloneNode(true));
        return { className: event.className, parts };
      }
      const known = bar.dataset.s?.[index] !== "n";
      return {
        className: known ? "s-ok" : "s-none",
        parts: known
          ? [make("span", texts.operational), make("em", texts.noDowntime)]
          : [make("span", texts.noData)],
      };
    };
    const show = (bar, index) => {
      const drawing = bar.firstElementChild.getBoundingClientRect();
      const box = bar.getBoundingClientRect();
      const width = drawing.width / DAYS;
      bar.mark ??= bar.appendChild(make("i", ""));
      bar.mark.className = "on";
      bar.mark.style.left = `${drawing.left - box.left + index * width}px`;
      bar.mark.style.width = `${width}px`;
      const first = Date.parse(`${bar.dataset.first}T00:00Z`);
      const when = dayForm.format(new Date(first + index * 864e5));
      const { className, parts } = told(bar, index);
      tip.replaceChildren(make("b", when), ...parts);
      tip.className = `on ${className}`;
      const middle = drawing.left + (index + 0.5) * width - tip.offsetWidth / 2;
      const left = Math.max(8, Math.min(middle, root.clientWidth - tip.offsetWidth - 8));
      tip.style.transform = `translate(${left + scrollX}px, ${box.bottom + scrollY + 6}px)`;
      bar.setAttribute("aria-valuenow", index + 1);
      const spoken = parts.map((part) => part.textContent).join(". ");
      bar.setAttribute("aria-valuetext", `${when}: ${spoken}`);
      bar.index = index;
      tip.bar = bar;
    };
    const within = (index) => Math.max(0, Math.min(DAYS - 1, index));
    const point = (event) => {
      const bar = event.currentTarget;
      const drawing = bar.firstElementChild.getBoundingClientRect();
      show(bar, within(Math.floor(((event.clientX - drawing.left) / drawing.width) * DAYS)));
    };
    const steer = (event) => {
      const bar = event.currentTarget;
      const index = bar.index ?? DAYS - 1;
      const to = {
        ArrowLeft: index - 1,
        ArrowRight: index + 1,
        Home: 0,
        End: DAYS - 1,
        PageUp: index - 7,
        PageDown: index + 7,
      }[event.key];
      if (event.key === "Escape") {
        hide(bar);
      } else if (to !== undefined) {
        event.preventDefault();
        show(bar, within(to));
      }
    };
    const arm = (bar) => {
      bar.addEventListener("pointermove", point);
      bar.addEventListener("pointerdown", point);
      bar.addEventListener("pointerleave", () => hide(bar));
      bar.addEventListener("blur", () => hide(bar));
      bar.addEventListener("focus", () => {
        if (bar.matches(":focus-visible")) show(bar, bar.index ?? DAYS - 1);
      });
      bar.addEventListener("keydown", steer);
      const drawing = bar.firstElementChild;
      const spoken = {
        tabindex: 0,
        role: "slider",
        "aria-label": drawing.getAttribute("aria-label"),
        "aria-valuemin": 1,
        "aria-valuemax": DAYS,
        "aria-valuenow": DAYS,
        "aria-valuetext": texts.help,
      };
      for (const [name, value] of Object.entries(spoken)) bar.setAttribute(name, value);
      drawing.setAttribute("aria-hidden", "true");
    };
    findAll(".bars").forEach(arm);

    // Patches: the server sends parts of the page as they are now. What the visitor opened,
    // closed or reached with the keyboard stays as it was.
    const REACHABLE = "a, button, summary, [tabindex]";
    const carryOver = (before, now) => {
      const reached = findAll(REACHABLE, before).indexOf(document.activeElement);
      // A fold without a name of its own goes by its part of the page and its turn there.
      const folds = (part) => {
        const turns = {};
        return new Map(
          [part, ...findAll("details", part)]
            .filter((fold) => fold.matches("details:not(.ev)"))
            .map((fold) => {
              const owner = fold.closest("[id]")?.id ?? "";
              turns[owner] = (turns[owner] ?? 0) + 1;
              return [`${owner} ${turns[owner]}`, fold];
            }),
        );
      };
      const foldsNow = folds(now);
      for (const [name, fold] of folds(before)) {
        const chosen = fold.open !== fold.hasAttribute("data-open");
        const same = foldsNow.get(name);
        if (same && chosen) same.open = fold.open;
      }
      for (const keep of findAll("[data-keep]", now)) {
        const old = document.getElementById(keep.id);
        if (old) keep.replaceWith(old);
      }
      return () => {
        if (reached >= 0) findAll(REACHABLE, now)[reached]?.focus({ preventScroll: true });
      };
    };
    const say = find("#say");
    const patch = (html) => {
      const parsed = document.createElement("template");
      parsed.innerHTML = html;
      for (const now of [...parsed.content.children]) {
        const before = document.getElementById(now.id);
        if (!before) continue;
        if (tip.bar && before.contains(tip.bar)) hide(tip.bar);
        const refocus = carryOver(before, now);
        before.replaceWith(now);
        findAll(".bars", now).forEach(arm);
        paintTimes(now);
        refocus();
        if (now.dataset.title && document.title !== now.dataset.title) {
          document.title = now.dataset.title;
          if (say) say.textContent = now.dataset.say;
        }
      }
    };

    // Live: one connection while the page is seen.
    const { events: address, shape } = document.body.dataset;
    if (!address) return;
    let since = document.body.dataset.since;
    let source;
    let again;
    let checked = Date.parse(find("#ago")?.dateTime);
    const showAge = () => {
      const ago = find("#ago");
      if (!ago || Number.isNaN(checked)) return;
      const seconds = Math.max(0, Math.round((Date.now() - checked) / 1000));
      const age =
        seconds < 60
          ? fill(texts.seconds, { n: seconds })
          : fill(texts.minutes, { n: Math.floor(seconds / 60) });
      ago.textContent = fill(texts.ago, { age });
    };
    const isLive = (live) => find("#live")?.classList.toggle("on", live);
    const close = () => {
      clearTimeout(again);
      source?.close();
      source = undefined;
      isLive(false);
    };
    const connect = () => {
      close();
      source = new EventSource(`${address}&since=${since}`);
      source.onopen = () => isLive(true);
      source.onerror = () => {
        isLive(false);
        // The browser comes back by itself after a lost connection, but not after a refusal.
        if (source?.readyState === EventSource.CLOSED) {
          clearTimeout(again);
          again = setTimeout(connect, 10000 + Math.random() * 20000);
        }
      };
      source.addEventListener("seen", (event) => {
        since = event.data;
      });
      source.addEventListener("tick", (event) => {
        const [at, now] = event.data.split(" ").map(Number);
        // The visitor's clock may be wrong: what counts is how old it is by the server's.
        checked = Number.isNaN(at) ? NaN : Date.now() - (now - at);
        showAge();
      });
      source.addEventListener("patch", (event) => patch(event.data));
      source.addEventListener("shape", (event) => {
        if (event.data !== shape) reload(event.data);
      });
    };
    // Another shape means that the page itself is another one. A cache may go on giving out
    // the old one for a while, so each shape is asked for once.
    const reload = (wanted) => {
      const asked = store("sessionStorage");
      if (asked.shape === wanted) return;
      asked.shape = wanted;
      setTimeout(() => location.reload(), Math.random() * 3000);
    };
    setInterval(showAge, 1000);
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : connect()));
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => event.persisted && connect());
    if (!document.hidden) connect();
  });

  // Storage, or a plain object where the browser does not grant any.
  function store(kind) {
    try {
      return window[kind];
    } catch {
      return {};
    }
  }
})();
