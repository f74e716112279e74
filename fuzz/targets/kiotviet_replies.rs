#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::kiotviet_replies::check(data));
