//! `cargo soak strangers`: strangers without a credential, some of whom know the webhook's path, do
//! everything they can against the host at once, from many connections of a few addresses, while a
//! shop sells. Genuine deliveries must be answered and carried to Getfly as if there were no
//! strangers. The owner must get in. KiotViet's calls, memory and store must stay within their
//! bounds.

use super::{
    Print,
    flood::MEMORY_MIB,
    site::{Judged, Site, StoreKind},
};
use crate::load::Tally;
use anyhow::{Context, Result, ensure};
use host_test::{
    admin::{Admin, Remote, successful},
    variables::ADMIN_TOKEN,
};
use rand::{SeedableRng, rngs::StdRng};
use serde::Serialize;
use serde_json::Value;
use sim::{Deliverer, HttpDeliverer, lock};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

/// Addresses that strangers come from, 127.0.0.2 and following.
const ADDRESSES: usize = 16;
/// The least number of customers; every second one buys.
const SELLS: usize = 4;
/// The earliest time of the shop's next customers: it sells less than the rate limit of Getfly
/// allows.
const SELLS_EVERY: Duration = Duration::from_millis(500);
/// The time between two looks of the owner.
const OWNER_LOOKS: Duration = Duration::from_millis(500);
/// Each attack ends once within this time; if not, the host let it go on for longer than
/// documented.
const SEEN_THROUGH: Duration = Duration::from_secs(90);
/// An attacker moves on after this, whatever the host does.
const PATIENCE: Duration = Duration::from_secs(30);
/// 99 of 100 genuine deliveries are answered within this.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);
/// No answer comes later than this; KiotViet waits for five seconds.
const ANSWER_TIME: Duration = Duration::from_secs(60);
/// Every sale is in Getfly within this.
const IN_GETFLY_WITHIN: Duration = Duration::from_secs(30);
/// How much the store may grow.
const STORE_BYTES: u64 = 60_000_000;
/// The KiotViet calls that strangers may cause in an hour.
const CALLS_AN_HOUR: usize = 500;
/// Ids of customers that KiotViet does not have begin here.
const FORGED: i64 = 8_000_000_000;

/// Who attacks, and for how long.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Connections that do everything in turn, all the time.
    #[arg(long, default_value_t = 80)]
    pub attackers: usize,
    /// Further connections that send half a head and wait.
    #[arg(long, default_value_t = 780)]
    pub half_heads: usize,
    /// Genuine deliveries, one after another.
    #[arg(long, default_value_t = 1_000)]
    pub deliveries: usize,
    /// Decides what is drawn; the machine decides the rest.
    #[arg(long, default_value_t = 2026)]
    pub seed: u64,
    /// A program whose `host` command is the host, such as an optimised build of this one; this one without it.
    #[arg(long)]
    pub host: Option<PathBuf>,
    /// The attackers do only this.
    #[arg(long, value_enum)]
    pub only: Option<Attack>,
    /// How the figures are printed.
    #[command(flatten)]
    pub print: Print,
}

/// What a stranger does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Attack {
    /// A body of 4 MiB that stops after 200 kB.
    StalledUpload,
    /// A whole body of 1 MiB.
    Upload,
    /// A body that comes a byte at a time.
    Drip,
    /// A `Host` that would change the path.
    OtherPath,
    /// A log-in form of 3 MiB.
    LargeForm,
    /// Guesses at the admin token, one after another on one connection.
    Guess,
    /// A webhook's path that opens nothing, again and again on one connection.
    WrongPaths,
    /// `/healthz`, again and again on one connection.
    Health,
    /// The log-in page, again and again on one connection.
    Page,
    /// A connection that asks once and then rests.
    Idle,
    /// To the webhook's path: 200 customers that KiotViet does not have, unsigned.
    ForgedHints,
    /// To the webhook's path: 4 MiB that are no delivery.
    ForgedBody,
}

const ATTACKS: [Attack; 12] = [
    Attack::StalledUpload,
    Attack::Upload,
    Attack::Drip,
    Attack::OtherPath,
    Attack::LargeForm,
    Attack::Guess,
    Attack::WrongPaths,
    Attack::Health,
    Attack::Page,
    Attack::Idle,
    Attack::ForgedHints,
    Attack::ForgedBody,
];

impl Attack {
    /// The text that is sent at once. `hook` is the webhook's path; no number is used twice.
    fn begins(self, hook: &str, number: i64) -> String {
        let head = |path: &str, length: usize| {
            format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n")
        };
        let post =
            |path: &str, length: usize, sent: usize| head(path, length) + &"a&".repeat(sent / 2);
        let get = |path: &str, host: &str| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        const MIB: usize = 1 << 20;
        match self {
            Self::StalledUpload => post("/hooks/shop/wrong", 4 * MIB, 200_000),
            Self::Upload => post("/hooks/shop/wrong", MIB, MIB),
            Self::Drip => post("/hooks/shop/wrong", 1_000, 0),
            Self::OtherPath => get("/healthz", "x/api/events?y="),
            Self::LargeForm => post("/ui/login", 3 * MIB, 3 * MIB),
            Self::Guess => get("/api/events", "a\r\nauthorization: Bearer wrong").repeat(50),
            Self::WrongPaths => get("/hooks/shop/wrong", "a").repeat(50),
            Self::Health => get("/healthz", "a").repeat(50),
            Self::Page => get("/", "a").repeat(50),
            Self::Idle => get("/ui/login", "a"),
            Self::ForgedHints => {
                let first = FORGED + number * 200;
                let items = (first..first + 200).map(|id| format!(r#"{{"Id":{id}}}"#));
                let items = items.collect::<Vec<_>>().join(",");
                let body = format!(
                    r#"{{"Notifications":[{{"Action":"customer.update.1","Data":[{items}]}}]}}"#
                );
                head(hook, body.len()) + &body
            }
            Self::ForgedBody => post(hook, 4 * MIB, 4 * MIB),
        }
    }

    /// The codes that may answer it; 0: closed without one.
    fn right(self) -> &'static [u16] {
        match self {
            Self::StalledUpload | Self::Upload | Self::Drip | Self::WrongPaths => &[404, 503, 0],
            Self::OtherPath => &[400, 0],
            Self::LargeForm => &[413, 0],
            Self::Guess => &[401, 503, 0],
            Self::Health | Self::Page | Self::ForgedHints | Self::ForgedBody => &[200, 503, 0],
            Self::Idle => &[200, 303, 503, 0],
        }
    }
}

/// The result.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    /// Connections of strangers at once.
    pub connections: usize,
    /// How long they went on, seconds.
    pub attacked_seconds: f64,
    /// Answers to strangers, by what they did and by code.
    pub strangers: BTreeMap<String, String>,
    /// Answers that a stranger should not have got.
    pub not_as_documented: Vec<String>,
    /// Genuine deliveries, by code.
    pub answers: String,
    /// How many of these were not answered 200.
    pub not_taken_on: usize,
    /// Times to the answers.
    pub answer_times: String,
    /// Whether 99 of 100 were answered within a second.
    pub answered_in_time: bool,
    /// Times from a customer's creation on KiotViet to the account in Getfly, seconds.
    pub in_getfly: String,
    /// Whether none took longer than 30 seconds.
    pub in_getfly_in_time: bool,
    /// KiotViet calls that strangers caused.
    pub calls_of_strangers: usize,
    /// How often a guest was stopped.
    pub traps: usize,
    /// Looks of the owner, by code.
    pub owner: String,
    /// Of these, not 200.
    pub owner_kept_out: usize,
    /// Answers to KiotViet that stop it for good.
    pub forbidden_answers: usize,
    /// Most memory, MiB.
    pub peak_memory_mib: u64,
    /// How much the store grew, kB.
    pub store_grew_kb: u64,
    /// Exit code after SIGTERM.
    pub exit_code: Option<i32>,
    /// Accounts in Getfly, with the number of customers.
    pub accounts: String,
    /// The checker's judgement of the end.
    #[serde(flatten)]
    pub judged: Judged,
}

impl Figures {
    /// What is wrong on any machine, in words; empty if all is well.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = self.judged.findings.clone();
        wrong.extend(self.not_as_documented.iter().cloned());
        let mut must = |holds: bool, words: String| {
            if !holds {
                wrong.push(words);
            }
        };
        let answers = &self.answers;
        must(
            self.not_taken_on == 0,
            format!("genuine deliveries were answered {answers}"),
        );
        must(
            self.owner_kept_out == 0,
            format!("the owner was answered {}", self.owner),
        );
        must(
            self.forbidden_answers == 0,
            "an answer that stops KiotViet".to_owned(),
        );
        let peak = self.peak_memory_mib;
        must(peak > 0, "the host's memory could not be read".to_owned());
        must(
            peak <= MEMORY_MIB,
            format!("the host took {peak} MiB, more than {MEMORY_MIB}"),
        );
        must(
            self.calls_of_strangers <= CALLS_AN_HOUR,
            format!(
                "strangers caused {} calls to KiotViet",
                self.calls_of_strangers
            ),
        );
        must(
            self.traps == 0,
            format!("a guest was stopped {} times", self.traps),
        );
        let grew = self.store_grew_kb;
        must(
            grew * 1000 <= STORE_BYTES,
            format!("the store grew by {grew} kB"),
        );
        must(
            self.exit_code == Some(0),
            format!("SIGTERM ended it with {:?}", self.exit_code),
        );
        wrong
    }

    /// What is wrong, including what depends on the machine's speed.
    pub(super) fn wrong_or_late(&self) -> Vec<String> {
        let mut wrong = self.wrong();
        if !self.answered_in_time {
            let times = &self.answer_times;
            wrong.push(format!(
                "99 of 100 are not answered within a second: {times}"
            ));
        }
        if !self.in_getfly_in_time {
            let times = &self.in_getfly;
            wrong.push(format!("one is not in Getfly within 30 s: {times}"));
        }
        wrong
    }

    /// The rows of `docs/soak.md`.
    pub(super) fn markdown(&self) -> String {
        let mut rows = vec![
            format!(
                "| strangers | {} connections for {} s |",
                self.connections, self.attacked_seconds
            ),
            format!(
                "| genuine deliveries | {}; {} |",
                self.answers, self.answer_times
            ),
            format!("| from KiotViet's till to Getfly | {} |", self.in_getfly),
            format!("| the owner | {} |", self.owner),
        ];
        for (attack, answers) in &self.strangers {
            rows.push(format!("| {} | {answers} |", attack.replace('_', " ")));
        }
        rows.push(format!(
            "| KiotViet calls that strangers caused | {} |",
            self.calls_of_strangers
        ));
        rows.push(format!("| guests that were stopped | {} |", self.traps));
        rows.push(format!("| memory | at most {} MiB |", self.peak_memory_mib));
        rows.push(format!("| the store | grew by {} kB |", self.store_grew_kb));
        let Judged {
            lost,
            doubled,
            stuck,
            wrong,
            ..
        } = &self.judged;
        rows.push(format!(
            "| at the end | {} accounts; lost {lost}, doubled {doubled}, stuck {stuck}, wrong {wrong} |",
            self.accounts
        ));
        format!("| what | seen |\n|---|---|\n{}", rows.join("\n"))
    }
}

/// The answers to each attack.
type Seen = Arc<Mutex<BTreeMap<Attack, Tally>>>;

/// Attacks the host; `program` is the host's command.
pub async fn run(options: &Options, program: &[String]) -> Result<Figures> {
    let mut rng = StdRng::seed_from_u64(options.seed);
    let program = match &options.host {
        Some(host) => &[host.display().to_string(), "host".to_owned()],
        None => program,
    };
    let mut site = Site::build(program, StoreKind::Embedded, options.seed).await?;
    let mut process = site.start_logged()?;
    process.serves().await?;
    site.connect().await?;
    // Its first signed delivery shows that KiotViet signs.
    let first = deliver(&mut site, 1, &mut rng, |_| true).await;
    ensure!(first.with(200) == first.sent(), "{}", first.by_code());
    let hook: Arc<str> = site.hook()?.into();
    let calls_before = site.kiotviet().calls().len();
    let store_before = site.store_bytes();
    let seen = Seen::default();
    let mut strangers = JoinSet::new();
    for number in 0..options.half_heads {
        strangers.spawn(half_heads(site.port, number));
    }
    for number in 0..options.attackers {
        let to = (site.port, hook.clone());
        strangers.spawn(attack(to, number, options.only, seen.clone()));
    }
    let owner = Arc::new(Mutex::new(Tally::default()));
    let looking = tokio::spawn(look_in(site.port, owner.clone()));
    let began = Instant::now();
    let all = options.only.map_or(ATTACKS.len(), |_| 1);
    let mut genuine = deliver(&mut site, options.deliveries, &mut rng, |began| {
        lock(&seen).len() == all || began.elapsed() > SEEN_THROUGH
    })
    .await;
    let attacked = began.elapsed();
    looking.abort();
    strangers.shutdown().await;

    let mut figures = Figures {
        connections: options.attackers + options.half_heads,
        attacked_seconds: attacked.as_secs_f64().round(),
        peak_memory_mib: process.peak_mebibytes(),
        not_taken_on: genuine.sent() - genuine.codes.get(&200).copied().unwrap_or(0),
        forbidden_answers: genuine.forbidden(),
        answers: genuine.by_code(),
        answer_times: genuine.latency(),
        ..Figures::default()
    };
    let in_time = genuine
        .times
        .iter()
        .filter(|time| **time <= ANSWERED_WITHIN);
    figures.answered_in_time = in_time.count() * 100 >= genuine.sent() * 99;
    let owner = std::mem::take(&mut *lock(&owner));
    figures.owner = owner.by_code();
    figures.owner_kept_out = owner.sent() - owner.codes.get(&200).copied().unwrap_or(0);
    tell(&seen, &mut figures);
    // Refused deliveries wait for a person, also those that nobody had looked at when the attack ended.
    site.settle().await?;
    let dismissed = "events/dismiss?reason=bad_signature";
    successful(site.api.call("POST", dismissed, &Value::Null).await)?;
    let unfinished = site.settle().await?;
    figures.store_grew_kb = site.store_bytes().saturating_sub(store_before) / 1000;
    let (exit_code, log) = process.stop().await?;
    figures.exit_code = exit_code;
    figures.traps = log.matches("the guest was stopped").count();
    carried(&site, calls_before, &mut figures);
    let customers = site.kiotviet().customers().len();
    figures.accounts = format!("{} of {customers}", site.getfly().accounts().len());
    figures.judged = site.judge(unfinished);
    Ok(figures)
}

/// What reached the vendors.
fn carried(site: &Site, calls_before: usize, figures: &mut Figures) {
    let accounts = site.getfly().accounts().into_iter();
    let accounts: BTreeMap<String, _> = accounts
        .filter_map(|account| Some((account.account_code, account.created_at?)))
        .collect();
    let sold = site.kiotviet().customers().into_iter();
    let took = sold.filter_map(|customer| {
        let code = format!("KV-shop-{}", customer.id);
        let took = accounts.get(&code)?.duration_since(customer.created_at);
        took.try_into().ok()
    });
    let mut took = Tally {
        times: took.collect(),
        ..Tally::default()
    };
    figures.in_getfly = took.latency();
    figures.in_getfly_in_time = took.times.iter().all(|time| *time <= IN_GETFLY_WITHIN);
    // This includes the control reads that check the shop's API after a missing record.
    let forged = |path: &str| {
        let id = path.split("/customers/").nth(1).unwrap_or_default();
        id.parse().is_ok_and(|id: i64| id >= FORGED) || path.starts_with("/branches")
    };
    let calls = site.kiotviet().calls().into_iter().skip(calls_before);
    figures.calls_of_strangers = calls.filter(|call| forged(&call.path)).count();
}

/// The shop sells, and KiotViet delivers, one after another: this many deliveries, and until
/// `enough` of what began then was seen.
async fn deliver(
    site: &mut Site,
    deliveries: usize,
    rng: &mut StdRng,
    enough: impl Fn(Instant) -> bool,
) -> Tally {
    let to = HttpDeliverer::default();
    let mut seen = Tally::default();
    let began = Instant::now();
    loop {
        if seen.sent() >= deliveries {
            if enough(began) {
                break;
            }
            tokio::time::sleep(OWNER_LOOKS).await;
        }
        let next = Instant::now() + SELLS_EVERY;
        site.act(SELLS, rng);
        for delivery in site.kiotviet().take_deliveries() {
            let request = site.kiotviet().request(&delivery);
            let began = Instant::now();
            let answer = timeout(ANSWER_TIME, to.deliver(request)).await;
            let answer = answer.ok().and_then(Result::ok);
            seen.add(answer, began.elapsed());
            site.kiotviet().settle(delivery, answer);
        }
        tokio::time::sleep(next.saturating_duration_since(Instant::now())).await;
    }
    seen
}

/// The owner, who looks at the overview with the right token.
async fn look_in(port: u16, seen: Arc<Mutex<Tally>>) {
    let owner = Remote::new(format!("http://127.0.0.1:{port}"), ADMIN_TOKEN);
    loop {
        let began = Instant::now();
        let (status, _) = owner.overview().await;
        let code = (200..300).contains(&status).then_some(200);
        lock(&seen).add(code, began.elapsed());
        tokio::time::sleep(OWNER_LOOKS).await;
    }
}

/// A connection from one of the strangers' addresses.
async fn connect(port: u16, number: usize) -> Result<TcpStream> {
    let last = u8::try_from(2 + number % ADDRESSES)?;
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0)))?;
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let connected = timeout(PATIENCE, socket.connect(to)).await;
    Ok(connected.context("in time")??)
}

/// Sends half a head, and again as soon as the host closes the connection.
async fn half_heads(port: u16, number: usize) {
    loop {
        if let Ok(mut stream) = connect(port, number).await {
            let _ = stream.write_all(b"POST /hooks/shop/wrong HT").await;
            let _ = stream.read(&mut [0]).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Attacks in turn, or only one; `to` is a port, and the webhook's path.
async fn attack(to: (u16, Arc<str>), number: usize, only: Option<Attack>, seen: Seen) {
    for turn in number.. {
        let attack = only.unwrap_or(ATTACKS[turn % ATTACKS.len()]);
        let began = Instant::now();
        let sent = attack.begins(&to.1, drawn());
        let codes = match connect(to.0, number).await {
            Ok(stream) => timeout(PATIENCE, carry_out(attack, &sent, stream)).await,
            // The system's queue is full.
            Err(_) => {
                tokio::time::sleep(OWNER_LOOKS).await;
                continue;
            }
        };
        for code in codes.unwrap_or_default() {
            let code = Some(code).filter(|code| *code > 0);
            lock(&seen)
                .entry(attack)
                .or_default()
                .add(code, began.elapsed());
        }
    }
}

/// A number that was not drawn before.
fn drawn() -> i64 {
    static DRAWN: AtomicI64 = AtomicI64::new(0);
    DRAWN.fetch_add(1, Ordering::Relaxed)
}

/// The codes that came; 0 if the connection was closed without one.
async fn carry_out(attack: Attack, text: &str, mut stream: TcpStream) -> Vec<u16> {
    let (mut from, mut to) = stream.split();
    let sending = async {
        // The host may close it in the middle.
        let _ = to.write_all(text.as_bytes()).await;
        while attack == Attack::Drip && to.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        std::future::pending::<()>().await;
    };
    let reading = async {
        let mut answers = Vec::new();
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            answers.extend_from_slice(&piece[..read]);
        }
        answers
    };
    let answers = tokio::select! {
        () = sending => Vec::new(),
        answers = reading => answers,
    };
    let answers = String::from_utf8_lossy(&answers).into_owned();
    let codes = answers.split("HTTP/1.1 ").skip(1);
    let codes: Vec<u16> = codes
        .filter_map(|rest| rest.get(..3)?.parse().ok())
        .collect();
    if codes.is_empty() { vec![0] } else { codes }
}

fn tell(seen: &Seen, figures: &mut Figures) {
    for (attack, tally) in lock(seen).iter() {
        let right = attack.right();
        let wrong = tally.codes.keys().filter(|code| !right.contains(code));
        for code in wrong {
            let words = format!("{attack:?} was answered {code}");
            figures.not_as_documented.push(words);
        }
        let name = serde_json::to_value(attack).unwrap_or_default();
        let name = name.as_str().unwrap_or_default().to_owned();
        figures.strangers.insert(name, tally.by_code());
    }
}
