// Sets theme and contrast before the first paint; ui/src/theme.rs takes over from here. A classic script, because modules run too late for that.
{
  const form = document.documentElement.dataset.form;
  // The app's flag --theme comes before what was chosen in an earlier run.
  let chosen = new URLSearchParams(location.search).get("theme");
  try {
    chosen ??= localStorage.getItem("fleetlens.theme");
  } catch {
    // Storage may be forbidden; then the form's own default holds.
  }
  const system = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  const preset = form === "phone" ? "light" : system;
  const wanted = { light: "light", dark: "dark", system }[chosen];
  document.documentElement.dataset.theme = wanted ?? preset;
  let contrast = null;
  try {
    contrast = localStorage.getItem("fleetlens.contrast");
  } catch {
    // As above.
  }
  const asked = matchMedia("(prefers-contrast: more)").matches ? "more" : "usual";
  document.documentElement.dataset.contrast = { more: "more", usual: "usual" }[contrast] ?? asked;
}
