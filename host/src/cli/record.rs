//! `kvgf record`: deliveries on their way to the bridge become fixtures.

use super::{Done, Failure, Program, print_line, up::stop_signals};
use crate::{
    record::{Disguise, Recorder, serve},
    server,
};
use clap::Args;
use std::{net::SocketAddr, path::PathBuf, sync::Arc};

const AFTER_HELP: &str = "\
Point KiotViet's webhook (or the tunnel in front of the bridge) at this address. Every POST becomes a
folder in DIR, 000001, 000002 …, with request.json and headers; kvgf replay reads them. Names,
phones, e-mails, addresses, tax codes, birthdays, comments and every text that is not known are
replaced, the same one by the same one within a recording; record numbers and codes too. Amounts,
quantities, states and times are kept. The address and its token, and the signature, are not written.

Examples:
  kvgf record --listen 127.0.0.1:3001 --to http://127.0.0.1:3000 --out recording
  kvgf record --listen 127.0.0.1:3001 --out recording         (answers 200 itself, and nothing else)

Exit codes: 0 it was stopped (SIGTERM, Ctrl-C); 1 it could not run; 2 the arguments cannot be
understood.";

/// Record deliveries, without persons' data, on their way to the bridge.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Record {
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3001")]
    listen: SocketAddr,
    /// Where requests are handed on to; without it each is answered 200.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// A new or empty folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Record {
    pub(super) async fn run(self, program: &Program) -> Done {
        let to = self.to.as_deref().map(target).transpose()?;
        let name = program.name;
        let tell = Arc::new(move |line: &str| eprintln!("{name}: {line}"));
        let recorder = Arc::new(Recorder::new(to, &self.out, Disguise::new(), tell)?);
        let listener = server::listen(self.listen).await?;
        let address = listener.local_addr().map_err(anyhow::Error::from)?;
        let stop = stop_signals()?;
        print_line(&format!("Recording on http://{address}"))?;
        serve(recorder.clone(), listener, stop).await;
        print_line(&format!(
            "Recorded in {}: {}",
            self.out.display(),
            recorder.written()
        ))?;
        Ok(())
    }
}

fn target(text: &str) -> Result<http::Uri, Failure> {
    let wrong = || {
        let why = "--to: expected http://host:port or https://host, without a query";
        Failure::Arguments(why.to_owned())
    };
    let uri: http::Uri = text.parse().map_err(|_| wrong())?;
    let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    let plain = uri.query().is_none() && uri.authority().is_some_and(|a| !a.as_str().contains('@'));
    if scheme && plain {
        Ok(uri)
    } else {
        Err(wrong())
    }
}
