// What pages do where scripts run. Everything works without.
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const words = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    } catch {
      field.select();
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => (button.textContent = words), 3000);
  });
}

// Rows of a table by what is typed: of this page of the list only, as the field says.
for (const input of document.querySelectorAll("input[data-filter]")) {
  const rows = document.querySelectorAll(`#${CSS.escape(input.dataset.filter)} tbody tr`);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
    }
  });
}
