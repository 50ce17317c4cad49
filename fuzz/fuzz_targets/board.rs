#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fleetlens_fuzzed::board(data));
