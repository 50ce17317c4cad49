// Starts the window. If that fails there is no window to say so, so this does.
import init from "../fleetlens_ui.js";

init().catch((error) => {
  console.error(error);
  const note = document.createElement("p");
  note.className = "boot-failed";
  note.setAttribute("role", "alert");
  note.textContent = `Fleetlens could not start: ${error?.message ?? error}`;
  document.body.replaceChildren(note);
});
