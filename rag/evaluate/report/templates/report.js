"use strict";
(() => {
  const form = document.getElementById("filter");
  const list = document.getElementById("questions");
  const shown = document.getElementById("shown");
  const questions = [...list.children].map((element, place) => ({
    element,
    place,
    verdict: element.dataset.verdict,
    type: element.dataset.type,
    sources: element.dataset.sources.split("\n"),
    confidence: Number(element.dataset.confidence ?? NaN),
    f1: Number(element.dataset.f1 ?? NaN),
    text: element.textContent.toLowerCase(),
  }));
  let order = "";

  function filter() {
    const wanted = Object.fromEntries(new FormData(form));
    const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const one of questions) {
      const fits =
        (!wanted.verdict || one.verdict === wanted.verdict) &&
        (!wanted.type || one.type === wanted.type) &&
        (!wanted.source || one.sources.includes(wanted.source)) &&
        words.every((word) => one.text.includes(word));
      one.element.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count.toLocaleString("en")} of ${questions.length.toLocaleString("en")}`;
    sort(wanted.sort);
  }

  function sort(by) {
    if (by === order) return;
    order = by;
    const key = by.replace("-", "");
    const sign = by.startsWith("-") ? 1 : -1;
    const sorted = [...questions];
    const rank = (one) => (Number.isNaN(one[key]) ? Infinity : sign * one[key]); // unknown: last
    if (by) sorted.sort((a, b) => rank(a) - rank(b) || a.place - b.place);
    list.append(...sorted.map((one) => one.element));
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
  list.hidden = false; // laid out once, not while the page is still being read
})();
