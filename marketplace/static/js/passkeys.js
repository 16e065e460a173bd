// Passkeys (WebAuthn). A button asks a key for its answer, writes it into the form and sends it.
// Without support the button stays hidden and the one-time code is typed as ever.

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

function asked(options) {
  const described = (keys) => keys?.map((key) => ({ ...key, id: bytes(key.id) }));
  const asking = { ...options, challenge: bytes(options.challenge) };
  if (options.user) asking.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) asking.excludeCredentials = described(options.excludeCredentials);
  if (options.allowCredentials) asking.allowCredentials = described(options.allowCredentials);
  return asking;
}

function answered(key) {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature"]) {
    if (key.response[part]) response[part] = text(key.response[part]);
  }
  return JSON.stringify({ id: key.id, rawId: text(key.rawId), type: key.type, response });
}

export function offerPasskeys() {
  for (const button of document.querySelectorAll("[data-passkey]")) {
    const form = button.form;
    const answer = form.querySelector("[data-passkey-answer]");
    const status = form.querySelector("[data-passkey-status]");
    if (!window.PublicKeyCredential) continue;
    button.hidden = false;
    if (status) status.textContent = "";
    button.addEventListener("click", async (event) => {
      if (answer.value) return;
      event.preventDefault();
      button.setAttribute("aria-busy", "true");
      try {
        const publicKey = asked(JSON.parse(button.dataset.options));
        const key = await navigator.credentials[button.dataset.passkey]({ publicKey });
        answer.value = answered(key);
        form.requestSubmit(button);
      } catch {
        // Cancelled, timed out, or no key here fits: what was typed stays, and codes still work.
        button.removeAttribute("aria-busy");
        if (status) status.textContent = "没有完成：可以再试一次，或者改用动态口令。";
      }
    });
  }
}
