"use strict";
(() => {
  const form = document.querySelector("form");
  const field = (name) => form.elements.namedItem(name);
  const count = form.querySelector("output");
  const groups = [...document.querySelectorAll("section.group")];
  const outcomes = [...document.querySelectorAll("details.outcome")].map((element) => ({
    element,
    text: element.textContent.toLowerCase(),
    covers: element.dataset.covers.toLowerCase().split(" "),
  }));

  const filter = () => {
    const words = field("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rfc = field("rfc").value;
    const verdict = field("verdict").value;
    const id = field("requirement").value.trim().toLowerCase();
    let shown = 0;
    for (const { element, text, covers } of outcomes) {
      const { dataset } = element;
      const wanted =
        (!rfc || dataset.rfc === rfc) &&
        (!verdict || dataset.verdict === verdict) &&
        (!id || covers.some((covered) => covered.startsWith(id))) &&
        words.every((word) => text.includes(word));
      element.hidden = !wanted;
      shown += wanted;
    }
    for (const group of groups) {
      const all = group.querySelectorAll("details.outcome").length;
      const left = group.querySelectorAll("details.outcome:not([hidden])").length;
      group.hidden = left === 0;
      group.querySelector("h2 small").textContent = left === all ? all : `${left} of ${all}`;
    }
    count.value = shown === outcomes.length ? `${shown} shown` : `${shown} of ${outcomes.length} shown`;
  };

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  filter();
})();
