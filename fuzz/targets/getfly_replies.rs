#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::getfly_replies::check(data));
