// Starts the window. If that fails there is no window to say so, so this does.
import init from "../fleetlens_ui.js";

// The map draws its labels into a texture once, so their font has to be there first, with the letters of Maltese.
const labels = document.fonts.load("500 12px 'Inter Variable'", "Aa ĊċĠġĦħŻż").catch(() => []);

Promise.all([globalThis.fleetlensProgram, globalThis.fleetlensWords, labels])
  .then(([compiled, words]) => {
    globalThis.fleetlensWords = words;
    return init({ module_or_path: compiled });
  })
  .catch((error) => {
    console.error(error);
    const note = document.createElement("p");
    note.className = "boot-failed";
    note.setAttribute("role", "alert");
    note.textContent = `Fleetlens could not start: ${error?.message ?? error}`;
    document.body.replaceChildren(note);
  });
