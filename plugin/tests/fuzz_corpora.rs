//! Claims that what the fuzz targets assert holds for every input in `fuzz/corpus`, and for many small
//! changes of each. How: the targets' own functions, without a fuzzer; the changes are drawn from a fixed
//! seed, so that a failure is the same everywhere and prints its input.

#[allow(
    unreachable_pub,
    reason = "the fuzz targets' library is made of the same files"
)]
#[path = "../../fuzz/properties/mod.rs"]
mod properties;

use std::{fs, panic, path::PathBuf};

/// Changes of each input.
const CHANGES: u64 = 100;

/// Pieces that the changes put in.
const PIECES: [&[u8]; 20] = [
    b"\n",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"0",
    b"-1",
    b"1e400",
    b"+84",
    b"@",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xe2\x80\x8b",
    b"%0a",
    b"<script>",
    b"9223372036854775808",
];

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus")).join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Xorshift: enough to choose places.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit.max(1)
    }

    /// `input` with one to four pieces removed, doubled, put in, or taken from `other`.
    fn changed(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let end = (at + self.below(12)).min(bytes.len());
            let from = self.below(other.len() + 1);
            let piece = match self.below(5) {
                0 => Vec::new(),
                1 => bytes[at..end].repeat(2),
                2 => PIECES[self.below(PIECES.len())].to_vec(),
                3 => other[from..(from + 20).min(other.len())].to_vec(),
                _ => vec![u8::try_from(self.below(256)).unwrap()],
            };
            bytes.splice(at..end, piece);
        }
        bytes
    }
}

fn holds(target: &str, check: fn(&[u8])) {
    let seeds = seeds(target);
    assert!(seeds.len() >= 4, "{target} has {} seeds", seeds.len());
    let mut draw = Draw(0x2026_1005);
    for (path, seed) in &seeds {
        let changes = (0..CHANGES).map(|_| {
            let other = draw.below(seeds.len());
            draw.changed(seed, &seeds[other].1)
        });
        for input in std::iter::once(seed.clone()).chain(changes) {
            if let Err(failure) = panic::catch_unwind(|| check(&input)) {
                println!("{}: \"{}\"", path.display(), input.escape_ascii());
                panic::resume_unwind(failure);
            }
        }
    }
}

macro_rules! targets {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            holds(stringify!($name), properties::$name::check);
        }
    )*
        /// A target that is added stands here too, and in `fuzz/targets`.
        #[test]
        fn every_target_has_a_corpus_and_a_test() {
            let names = |part: &str| -> Vec<String> {
                let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz")).join(part);
                let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
                let mut names: Vec<String> =
                    files.map(|p| p.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
                names.sort();
                names
            };
            let tested = [$(stringify!($name)),*];
            assert_eq!(names("targets"), tested);
            assert_eq!(names("corpus"), tested);
        }
    };
}

targets!(
    admin_routes,
    dates,
    email,
    envelope,
    forms,
    getfly_replies,
    kiotviet_replies,
    phone,
    signature
);
