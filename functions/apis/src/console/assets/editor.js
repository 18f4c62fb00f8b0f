// Checks a definition while it is typed, and leads from a fault to its line. Everything works without.
"use strict";

const area = document.getElementById("definition");
const found = document.getElementById("found");
const file = document.getElementById("file");

if (area && found) {
  let waiting;
  let asked = 0;

  const check = async () => {
    const mine = ++asked;
    const body = new URLSearchParams({ form: area.form.elements.form.value, definition: area.value });
    try {
      const answer = await fetch(found.dataset.check, { method: "POST", body });
      const text = await answer.text();
      if (answer.ok && mine === asked) {
        found.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
      }
    } catch {
      // The button asks as well.
    }
  };

  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(check, 400);
  };

  area.addEventListener("input", soon);

  file?.addEventListener("change", async () => {
    if (file.files.length === 1) {
      area.value = await file.files[0].text();
      file.value = "";
      soon();
    }
  });

  found.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    if (!link) return;
    event.preventDefault();
    const lines = area.value.split("\n");
    const line = Number(link.dataset.line) - 1;
    const start = lines.slice(0, line).join("\n").length + (line > 0 ? 1 : 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[line] ?? "").length);
    area.scrollTop = (area.scrollHeight / lines.length) * Math.max(line - 3, 0);
  });
}
