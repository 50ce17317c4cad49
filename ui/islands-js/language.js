// Which language the page speaks, decided before the first paint, and its words, fetched while the program is compiled. English stands
// in the program; `ui/src/lang.rs` takes over from here. A classic script, because modules run too late for that.
{
  // As `Language` in ui/src/lang.rs.
  const spoken = ["en", "de"];
  let chosen = null;
  try {
    chosen = localStorage.getItem("fleetlens.language");
  } catch {
    // Storage may be forbidden; then the system's language holds.
  }
  // For who looks whether everything is translated: every word in brackets, in either direction (the pseudo-locales of CLDR).
  const pseudo = { "en-XA": "ltr", "ar-XB": "rtl" };
  const systems = navigator.languages.map((language) => language.split("-")[0]);
  const known = spoken.includes(chosen) || chosen in pseudo;
  const language = known ? chosen : (systems.find((language) => spoken.includes(language)) ?? "en");
  document.documentElement.lang = language;
  document.documentElement.dir = pseudo[language] ?? "ltr";
  const isFetched = language !== "en" && !(language in pseudo);
  globalThis.fleetlensWords = isFetched
    ? fetch(`/locales/${language}.po`)
        .then((answer) => (answer.ok ? answer.text() : null))
        .catch(() => null)
    : Promise.resolve(null);
}
