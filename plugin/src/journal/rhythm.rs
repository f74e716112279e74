//! The hours at which a shop's events usually come, learnt from its own days, so that silence at
//! such an hour raises an alert.

use crate::{journal::webhook::Webhook, kiotviet::assumptions::SHOP_HOURS_AHEAD, time::Timestamp};
use serde::{Deserialize, Serialize};

/// The days that are remembered: four of each weekday.
const DAYS: usize = 28;
/// The days before silence is reported at all.
const LEARNT: usize = 14;
/// Silence is reported once chance would cause it less often than this.
const UNLIKELY: f64 = 0.001;
/// No hour counts as more certain than this: one that is quiet for once proves little.
const SUREST: f64 = 0.95;
/// How many hours are looked back at.
const LOOKED_BACK: i64 = 48;

/// The hours of the last days at which the shop itself pushed an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    /// The newest day, as days since 1970 in the shop's zone.
    day: i64,
    /// Its hours, a bit for each.
    hours: u32,
    /// The days before it, the newest first.
    past: Vec<u32>,
    /// The webhooks that pushed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pushed: Vec<Webhook>,
    /// When the last push came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pushed_at: Option<Timestamp>,
}

/// The hour since 1970 in the shop's zone.
fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3600) + i64::from(SHOP_HOURS_AHEAD)
}

impl Rhythm {
    /// The webhooks that pushed; none in a store of an earlier version, which did not keep them.
    pub fn pushed(&self) -> &[Webhook] {
        &self.pushed
    }

    /// When the last push came, where that is kept.
    pub fn pushed_at(&self) -> Option<Timestamp> {
        self.pushed_at
    }

    /// `webhook` pushed an event at `at`.
    pub fn came(&mut self, webhook: Webhook, at: Timestamp) {
        let hour = hour(at);
        let (day, bit) = (hour.div_euclid(24), 1 << hour.rem_euclid(24));
        if *self == Self::default() {
            self.day = day;
        }
        if !self.pushed.contains(&webhook) {
            self.pushed.push(webhook);
        }
        self.pushed_at = self.pushed_at.max(Some(at));
        // A day that is long over, or comes from a wrong clock, teaches nothing.
        if day < self.day {
            return;
        }
        if day > self.day {
            let quiet = usize::try_from(day - self.day - 1)
                .unwrap_or(DAYS)
                .min(DAYS);
            let over = core::mem::take(&mut self.hours);
            let days = core::iter::repeat_n(0, quiet).chain([over]);
            let before = core::mem::take(&mut self.past);
            self.past = days.chain(before).take(DAYS).collect();
            self.day = day;
        }
        self.hours |= bit;
    }

    /// The share of `days` that had an event at this hour of the day; none if there are no days.
    fn share(hour_of_day: i64, days: impl Iterator<Item = u32>) -> Option<f64> {
        let (mut with, mut all) = (0_u32, 0_u32);
        for hours in days {
            with += (hours >> hour_of_day) & 1;
            all += 1;
        }
        (all > 0).then(|| f64::from(with) / f64::from(all))
    }

    /// How likely an event comes at this hour.
    fn likely(&self, hour: i64) -> f64 {
        let (day, hour_of_day) = (hour.div_euclid(24), hour.rem_euclid(24));
        let known = (1..).zip(self.past.iter().copied());
        let weekday = known.filter(|(ago, _)| (self.day - ago - day).rem_euclid(7) == 0);
        let weekday = Self::share(hour_of_day, weekday.map(|(_, hours)| hours));
        let any = Self::share(hour_of_day, self.past.iter().copied()).unwrap_or_default();
        any.min(weekday.unwrap_or_default()).min(SUREST)
    }

    /// Whether the time from `last`, when the last event came, to `now` is silence at hours at
    /// which this shop is open.
    pub fn is_silent(&self, last: Timestamp, now: Timestamp) -> bool {
        let (last, now) = (hour(last), hour(now));
        if self.past.len() < LEARNT || self.likely(now) <= 0.0 {
            return false;
        }
        let hours = (last + 1).max(now - LOOKED_BACK)..now;
        let chance: f64 = hours.map(|hour| 1.0 - self.likely(hour)).product();
        chance < UNLIKELY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Day `day` of a shop, at this hour of Vietnam's clocks. Day 0 is a Thursday.
    fn at(day: i64, hour: i64) -> Timestamp {
        let hours = day * 24 + hour - i64::from(SHOP_HOURS_AHEAD);
        Timestamp::from_second(hours * 3600 + 60).unwrap()
    }

    /// A shop that sold at each hour from 8 to 20 on these days.
    fn shop(days: impl Iterator<Item = i64>) -> Rhythm {
        let mut rhythm = Rhythm::default();
        for day in days {
            for hour in 8..=20 {
                rhythm.came(Webhook::Order, at(day, hour));
            }
        }
        rhythm
    }

    #[test]
    fn silence_is_told_in_business_hours_after_three_of_them() {
        let rhythm = shop(1..=20);
        // The last sale of the day before was at eight in the evening.
        let last = at(20, 20);
        for hour in 0..11 {
            assert!(!rhythm.is_silent(last, at(21, hour)), "{hour}");
        }
        for hour in 11..=20 {
            assert!(rhythm.is_silent(last, at(21, hour)), "{hour}");
        }
        // No shop is open at night.
        assert!(!rhythm.is_silent(last, at(21, 23)));
        assert!(!rhythm.is_silent(at(21, 10), at(21, 12)));
    }

    #[test]
    fn a_day_on_which_the_shop_is_closed_each_week_is_no_silence() {
        let rhythm = shop((1..=20).filter(|day| day % 7 != 0));
        for hour in 0..24 {
            assert!(!rhythm.is_silent(at(20, 20), at(21, hour)), "{hour}");
        }
        assert!(rhythm.is_silent(at(20, 20), at(22, 12)));
    }

    #[test]
    fn a_new_shop_and_one_that_sells_seldom_say_nothing() {
        assert!(!shop(1..=10).is_silent(at(10, 20), at(11, 20)));
        let mut rare = Rhythm::default();
        for day in 1..=28 {
            rare.came(Webhook::Order, at(day, 8 + day % 12));
        }
        assert!(!rare.is_silent(at(28, 12), at(29, 20)));
    }

    #[test]
    fn a_clock_that_was_wrong_teaches_nothing() {
        let mut rhythm = shop(1..=20);
        let before = rhythm.clone();
        rhythm.came(Webhook::Order, at(3, 2));
        assert_eq!(rhythm, before);
        rhythm.came(Webhook::Order, at(400, 9));
        assert!(!rhythm.is_silent(at(400, 9), at(400, 20)));
    }
}
