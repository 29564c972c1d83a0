"use strict";
(function () {
  const coloured = function (context) { return context.command === "\\htmlClass" && /^index\d$/.test(context.class); };
  const options = { throwOnError: false, trust: coloured, strict: "ignore", maxExpand: 1000, errorColor: "#b3261e" };
  const home = document.querySelector("[data-shapes]");
  const shapes = home ? JSON.parse(home.dataset.shapes) : {};
  // the shape of an array is shown where the pointer rests on its letter
  function pointedAt(el) {
    for (const letter of el.querySelectorAll(".katex-html .mord.mathnormal")) {
      const shape = Object.hasOwn(shapes, letter.textContent) ? shapes[letter.textContent] : "";
      if (shape) letter.title = letter.textContent + ": " + shape;
    }
  }
  function render(root) {
    for (const el of root.querySelectorAll(".tex:not([data-done])")) {
      if (el.closest("[data-lazy]") && root === document) continue;
      el.dataset.done = "1";
      const display = el.dataset.display !== undefined;
      try {
        katex.render(el.textContent, el, Object.assign({ displayMode: display }, options));
        pointedAt(el);
      } catch (error) { /* the source stays to be read */ }
    }
  }
  render(document);
  for (const d of document.querySelectorAll("details")) {
    d.addEventListener("toggle", function () { if (d.open) render(d); });
    if (d.open) render(d);
  }
  // a formula in a sentence: its verdict unfolds below the paragraph
  for (const el of document.querySelectorAll(".inline[data-for]")) {
    const toggle = function () {
      for (const id of el.dataset.for.split(" ")) {
        const aside = document.getElementById(id);
        if (!aside) continue;
        aside.hidden = !aside.hidden;
        if (!aside.hidden) render(aside);
      }
    };
    el.addEventListener("click", toggle);
    el.addEventListener("keydown", function (e) { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); toggle(); } });
  }
  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", function () {
      const text = button.parentElement.querySelector("pre").textContent;
      navigator.clipboard.writeText(text).then(function () { button.textContent = "copied"; });
    });
  }
  const chips = document.querySelectorAll(".chip[data-verdict]");
  for (const chip of chips) {
    chip.addEventListener("click", function () {
      const on = chip.getAttribute("aria-pressed") !== "true";
      for (const other of chips) other.setAttribute("aria-pressed", "false");
      chip.setAttribute("aria-pressed", String(on));
      document.body.classList.toggle("filtered", on);
      for (const el of document.querySelectorAll(".statement, .aside")) {
        const keep = on && el.classList.contains(chip.dataset.verdict);
        el.classList.toggle("kept", keep);
        if (el.classList.contains("aside")) { el.hidden = !keep; if (keep) render(el); }
      }
    });
  }
  function follow() {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.classList.contains("aside")) { target.hidden = false; render(target); target.scrollIntoView(); }
  }
  addEventListener("hashchange", follow);
  follow();
  document.documentElement.dataset.ready = "1";
})();
