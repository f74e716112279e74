//! When people switched a webhook on and off and asked for backfills, and from which moment records
//! are new: certainly, or perhaps, if a command had no answer.

use jiff::{SignedDuration, Timestamp};
use std::ops::RangeInclusive;

/// How long after a record was read it may still be stored: a create without an answer may take
/// effect for half a minute after its 25 s, and there may be a pause before it is sent, at most as
/// long as the lease's two slots let a host stand still.
pub(super) const UNDER_WAY: SignedDuration = SignedDuration::from_secs(90);

/// A command of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// The webhook on.
    On,
    /// The webhook off.
    Off,
    /// Everything created from this moment to the command.
    Backfill(Timestamp),
}

/// The times that the clock of the instance that carries out a command may have shown.
pub type Shown = RangeInclusive<Timestamp>;

#[derive(Debug, Clone)]
struct Command {
    what: What,
    at: Timestamp,
    /// The moment from which records are new for the plugin, which uses its own clock for that.
    shown: Shown,
    /// When its success was answered; none: perhaps it succeeded.
    done: Option<Timestamp>,
}

/// A webhook as people switched it; off at first. See the module.
#[derive(Debug, Clone, Default)]
pub struct Switched {
    /// Whether it was on from the shop's connection on: before that, no worker can have seen it
    /// off.
    from_the_first: bool,
    commands: Vec<Command>,
}

impl Switched {
    /// A webhook that was switched on with the shop's connection, at this moment; that instance's
    /// clock showed `shown`.
    pub fn on(at: Timestamp, shown: Timestamp) -> Self {
        let mut switched = Self {
            from_the_first: true,
            ..Self::default()
        };
        switched.switch(true, at, Some(at), shown..=shown);
        switched
    }

    /// A person switched it on or off; `done` is when the success was answered, if it was.
    pub fn switch(&mut self, on: bool, at: Timestamp, done: Option<Timestamp>, shown: Shown) {
        let what = if on { What::On } else { What::Off };
        self.commands.push(Command {
            what,
            at,
            shown,
            done,
        });
    }

    /// A person asked for everything that was created from that moment on.
    pub fn backfill(
        &mut self,
        from: Timestamp,
        at: Timestamp,
        done: Option<Timestamp>,
        shown: Shown,
    ) {
        let what = What::Backfill(from);
        self.commands.push(Command {
            what,
            at,
            shown,
            done,
        });
    }

    /// Whether people want it on, by their last command.
    pub fn should_be_on(&self) -> bool {
        let mut commands = self.commands.iter().rev();
        let last = commands.find(|command| matches!(command.what, What::On | What::Off));
        last.is_some_and(|command| command.what == What::On)
    }

    /// Whether that command was answered, or there was none.
    pub fn is_sure(&self) -> bool {
        let mut commands = self.commands.iter().rev();
        let last = commands.find(|command| matches!(command.what, What::On | What::Off));
        last.is_none_or(|command| command.done.is_some())
    }

    /// Whether a record is certainly new after all commands. It was created at `first` and has its
    /// present form since `created` (the edit of an invoice). It is new if it was created since the
    /// webhook was switched on, or within an answered backfill. A record that waits while the
    /// webhook is switched off is no longer owed.
    pub fn surely_new(&self, first: Timestamp, created: Timestamp) -> bool {
        let (mut perhaps_off, mut since, mut asked_for) = (true, None, Vec::new());
        for command in &self.commands {
            match command.what {
                What::On if perhaps_off => {
                    since = command.done.map(|_| *command.shown.end());
                    perhaps_off = command.done.is_none();
                }
                What::On => {}
                What::Off => {
                    (perhaps_off, since) = (true, None);
                    asked_for.clear();
                }
                What::Backfill(from) if command.done.is_some() && since.is_some() => {
                    asked_for.push((from, command.at.min(*command.shown.start()), command.at));
                }
                What::Backfill(_) => {}
            }
        }
        // A record created after a backfill by the plugin's clock, and delivered before it, is in
        // neither.
        let wanted = |(from, to, at): &(Timestamp, Timestamp, Timestamp)| {
            (from..=to).contains(&&first) && (created <= *to || created > *at)
        };
        since.is_some_and(|since| first >= since || asked_for.iter().any(wanted))
    }

    /// Whether a record of `created` may have counted as new for the worker that stored it at
    /// `stored`.
    pub fn perhaps_new(&self, created: Timestamp, stored: Timestamp) -> bool {
        let asked_for = |command: &Command| match command.what {
            What::Backfill(from) => command.at <= stored && from <= created,
            What::On | What::Off => false,
        };
        let by_backfill = self.commands.iter().any(asked_for) && self.perhaps(true, stored);
        by_backfill
            || self
                .standing(What::On, stored)
                .any(|on| *on.shown.start() <= created)
    }

    /// Whether it may have been on, or off, for the worker that stored something at `stored`.
    pub fn perhaps(&self, on: bool, stored: Timestamp) -> bool {
        if on {
            return self.standing(What::On, stored).next().is_some();
        }
        let at_first = !self.commands.iter().any(|w| ends(w, What::Off, stored));
        (at_first && !self.from_the_first) || self.standing(What::Off, stored).next().is_some()
    }

    /// The commands of this kind that the opposite one had not certainly ended by then.
    fn standing(&self, what: What, stored: Timestamp) -> impl Iterator<Item = &Command> {
        let all = self.commands.iter().enumerate();
        all.filter(move |(place, command)| {
            let mut later = self.commands.iter().skip(place + 1);
            command.what == what && command.at <= stored && !later.any(|w| ends(w, what, stored))
        })
        .map(|(_, command)| command)
    }
}

/// Whether this command is the opposite of `what`, and so old that every worker had seen its
/// effect.
fn ends(command: &Command, what: What, stored: Timestamp) -> bool {
    let opposite = match what {
        What::On => What::Off,
        _ => What::On,
    };
    command.what == opposite && command.done.is_some_and(|done| done + UNDER_WAY < stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    /// One whose clock is right.
    fn right(mut switched: Switched, on: bool, minute: i64, done: Option<i64>) -> Switched {
        let done = done.map(at);
        switched.switch(
            on,
            at(minute),
            done,
            at(minute)..=done.unwrap_or(at(minute)),
        );
        switched
    }

    fn surely_new(switched: &Switched, created: i64) -> bool {
        switched.surely_new(at(created), at(created))
    }

    #[test]
    fn what_is_new_begins_at_the_last_sure_switch_on() {
        let mut switched = Switched::on(at(10), at(10));
        let is_new = |switched: &Switched, since: i64| {
            surely_new(switched, since) && !surely_new(switched, since - 1)
        };
        assert!(is_new(&switched, 10));
        switched = right(switched, true, 12, Some(12));
        assert!(is_new(&switched, 10), "it was on");
        switched.backfill(at(1), at(13), Some(at(13)), at(13)..=at(13));
        assert!(is_new(&switched, 1) && surely_new(&switched, 14));
        switched = right(switched, false, 20, None);
        assert!(!surely_new(&switched, 14) && !switched.is_sure());
        switched = right(switched, true, 30, Some(31));
        assert!(is_new(&switched, 31));
    }

    #[test]
    fn a_switch_without_an_answer_may_have_been_or_not() {
        let mut switched = Switched::on(at(10), at(10));
        switched = right(switched, false, 20, None);
        assert!(switched.perhaps(true, at(30)) && switched.perhaps(false, at(30)));
        assert!(switched.perhaps_new(at(25), at(30)));
        switched = right(switched, false, 40, Some(40));
        assert!(switched.perhaps_new(at(25), at(41)), "it was under way");
        assert!(!switched.perhaps_new(at(25), at(42)));
        assert!(!switched.perhaps(true, at(42)) && switched.perhaps(false, at(42)));
    }

    #[test]
    fn an_older_record_is_perhaps_new_by_a_backfill_only() {
        let mut switched = Switched::on(at(10), at(10));
        assert!(!switched.perhaps_new(at(9), at(20)));
        switched.backfill(at(5), at(19), None, at(19)..=at(19));
        assert!(switched.perhaps_new(at(9), at(20)) && !switched.perhaps_new(at(4), at(20)));
    }

    #[test]
    fn newness_follows_the_clock_of_the_instance_that_switched() {
        let mut switched = Switched::on(at(10), at(14));
        assert!(surely_new(&switched, 14) && !surely_new(&switched, 13));
        assert!(!switched.perhaps_new(at(13), at(20)));
        switched.backfill(at(1), at(13), Some(at(13)), at(11)..=at(11));
        let new = [0, 1, 11, 12, 13, 14].map(|created| surely_new(&switched, created));
        assert_eq!(new, [false, true, true, false, false, true]);
        let edited = [11, 12, 13, 14].map(|edit| switched.surely_new(at(5), at(edit)));
        assert_eq!(edited, [true, false, false, true]);
    }
}
