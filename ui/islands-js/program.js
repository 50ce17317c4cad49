// Fetches and compiles the window's program before anything else of the page is there: it is what everything else waits for longest.
globalThis.fleetlensProgram = WebAssembly.compileStreaming(fetch("/fleetlens_ui_bg.wasm"));
// boot.js tells what goes wrong with it; until then nobody has to.
globalThis.fleetlensProgram.catch(() => {});
