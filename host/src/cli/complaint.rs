//! What clap says about wrong arguments, as one line with a way out. Never repeats what stands
//! behind an equals sign or before an at sign: it may be a secret in the wrong place.

use super::Program;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::process::ExitCode;

/// Prints a help text or the version as it is, and a complaint in one line.
pub(super) fn print(program: &Program, error: &clap::Error) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
        }
        _ => super::complain(program, &in_one_line(error)),
    }
    ExitCode::from(code)
}

fn in_one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let mut parts: Vec<&str> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        if !line.is_empty() {
            parts.push(line);
        }
    }
    let line = parts.join(" ");
    let line = line.trim_start_matches("error: ");
    let given = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand]
        .into_iter()
        .filter_map(|kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.as_str()),
            _ => None,
        });
    let line = given.fold(line.to_owned(), |line, text| {
        line.replace(text, &without_secrets(text))
    });
    format!("{line}. See --help")
}

fn without_secrets(text: &str) -> String {
    let text = match text.split_once('=') {
        Some((name, _)) => format!("{name}=…"),
        None => text.to_owned(),
    };
    match text.split_once('@') {
        Some(_) => "…".to_owned(),
        None => text,
    }
}
