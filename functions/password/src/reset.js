// Takes the one-time token from the link's fragment, which no server sees, into the form.
"use strict";

const form = document.getElementById("reset");
const field = document.getElementById("token");
const token = location.hash.slice(1);

if (token.startsWith("rst_")) {
  field.value = token;
  document.getElementById("token-field").hidden = true;
  // Out of the address bar; a refused form comes back to the same fragment.
  history.replaceState(null, "", location.pathname);
  form.action = `/console/reset#${token}`;
}

// A link pasted whole holds the token behind its "#".
form.addEventListener("submit", () => {
  field.value = field.value.trim().split("#").pop();
});
