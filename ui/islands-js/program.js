// Fetches and compiles the window's program before anything else of the page is there: it is what everything else waits for longest.
// Where that fails, as behind a proxy that calls it another type, boot.js loads it in the usual way and tells what goes wrong.
globalThis.fleetlensProgram = WebAssembly.compileStreaming(fetch("/fleetlens_ui_bg.wasm")).catch(() => undefined);
