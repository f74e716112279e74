//! `kvgf tenants`: looks at the tenants' files, and moves a tenant's keys.

use super::{Done, Failure, Program, print_line, store::StoreOptions};
use crate::{
    keyvalue::{Backend, Space},
    manifest::Declaration,
    tenants::{self, Name, moving},
};
use anyhow::Context;
use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::Arc,
};

const AFTER_HELP: &str = "\
A tenant is moved while no host serves it: take its file out of the folder first (over --state-dir, stop the host). An
export holds everything of it, its secrets sealed by its master_key; the file is for its user alone. Without NAME the
keys are those of a host with one application.

Examples:
  kvgf tenants check /etc/bridge/tenants
  kvgf tenants export minh --to minh.keys --state-dir /var/lib/bridge
  kvgf tenants import minh --in minh.keys --store @/run/secrets/redis-url

Exit codes: 0 it is done, and all files are sound; 1 a file is refused, or it could not be done; 2 the arguments
cannot be understood.";

/// Look at tenants' files, export and import a tenant's keys.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Tenants {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists the tenants: name, host name, Getfly.
    List(Folder),
    /// Reads every file as a host would, and tells which is refused and why.
    Check(Folder),
    /// Writes a tenant's keys to a file.
    Export(Export),
    /// Writes a tenant's keys from a file into a store that has none of it.
    Import(Import),
}

#[derive(Debug, Args)]
struct Folder {
    /// The tenants' folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The manifest; spin.toml when not given.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Export {
    /// Which tenant; an only application's keys when not given.
    #[arg(value_name = "NAME", value_parser = name)]
    name: Option<Name>,
    /// A new file.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    store: StoreOptions,
}

#[derive(Debug, Args)]
struct Import {
    /// Which tenant; an only application's keys when not given.
    #[arg(value_name = "NAME", value_parser = name)]
    name: Option<Name>,
    /// What an export wrote.
    #[arg(long = "in", value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    store: StoreOptions,
}

fn name(text: &str) -> Result<Name, String> {
    let why = "expected a tenant's name: letters a-z, digits and dashes";
    Name::parse(text).ok_or_else(|| why.to_owned())
}

fn space(store: Arc<dyn Backend>, name: Option<&Name>) -> Space {
    Space::of(store, name.map_or(String::new(), Name::keys))
}

impl Tenants {
    pub(super) async fn run(self, program: &Program) -> Done {
        match self.what {
            What::List(folder) => {
                for (name, said) in folder.read(program)? {
                    let shown = match said {
                        Ok(said) => format!("{name}\t{}\t{}", said.host, said.getfly),
                        Err(_) => format!("{name}\trefused"),
                    };
                    print_line(&shown)?;
                }
                Ok(())
            }
            What::Check(folder) => folder.check(program),
            What::Export(export) => export.run().await,
            What::Import(import) => import.run().await,
        }
    }
}

impl Folder {
    fn read(&self, program: &Program) -> anyhow::Result<Vec<(String, tenants::Told)>> {
        let manifest = self.from.as_ref().unwrap_or(&program.manifest);
        tenants::read_all(&self.folder, &Declaration::read(manifest)?)
    }

    fn check(&self, program: &Program) -> Done {
        let mut table = Table::new();
        table
            .load_preset(UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(110)
            .set_header(["", "tenant", "finding"]);
        let mut ok = true;
        for (name, said) in self.read(program)? {
            let (mark, words) = match said {
                Ok(said) => ("ok", format!("served at {}", said.host)),
                Err(why) => ("REFUSED", why),
            };
            ok &= mark == "ok";
            table.add_row([mark, &name, &words]);
        }
        print_line(&table.to_string())?;
        if ok { Ok(()) } else { Err(Failure::Told) }
    }
}

impl Export {
    async fn run(self) -> Done {
        let place = self.store.place()?;
        let opened = place.open().await?;
        let space = space(opened.backend, self.name.as_ref());
        let shown = self.to.display();
        let mut new = OpenOptions::new();
        let file = new.write(true).create_new(true).mode(0o600).open(&self.to);
        let file = file.with_context(|| format!("{shown} cannot be made as a new file"))?;
        let mut file = BufWriter::new(file);
        let lines = moving::lines(&space, place.is_shared()).await?;
        for line in &lines {
            writeln!(file, "{line}").context("the file cannot be written")?;
        }
        file.flush().context("the file cannot be written")?;
        let keys = lines.len().saturating_sub(1);
        Ok(print_line(&format!("{keys} keys are in {shown}"))?)
    }
}

impl Import {
    async fn run(self) -> Done {
        let place = self.store.place()?;
        let shown = self.file.display();
        let file = std::fs::File::open(&self.file);
        let file = file.with_context(|| format!("cannot read {shown}"))?;
        let lines = BufReader::new(file).lines().collect::<Result<Vec<_>, _>>();
        let cells = moving::cells(&lines.context("it is no text")?, place.is_shared())
            .with_context(|| format!("{shown} cannot be taken"))?;
        let opened = place.open().await?;
        let space = space(opened.backend, self.name.as_ref());
        let own = moving::own_keys(&space).await?;
        if !own.is_empty() {
            let many = own.len();
            let why =
                format!("the store has {many} keys of it already; an import begins with none");
            return Err(Failure::Run(anyhow::Error::msg(why)));
        }
        let keys = cells.len();
        moving::write(&space, cells).await?;
        Ok(print_line(&format!("{keys} keys are in the store"))?)
    }
}
