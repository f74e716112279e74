//! A vendor's list of users, as it is and as it was.

use jiff::Timestamp;

/// Every version of the list with the moment from which it was valid; the first one is valid from
/// the beginning.
#[derive(Debug, Clone)]
pub struct People<T>(Vec<(Timestamp, Vec<T>)>);

impl<T> People<T> {
    pub(super) fn new(at: Timestamp, people: Vec<T>) -> Self {
        Self(vec![(at, people)])
    }

    /// Changes the list in any way.
    pub(super) fn change(&mut self, at: Timestamp, change: impl FnOnce(&mut Vec<T>))
    where
        T: Clone,
    {
        let mut people = self.now().to_vec();
        change(&mut people);
        self.0.push((at, people));
    }

    /// The present list.
    pub fn now(&self) -> &[T] {
        self.0.last().map_or(&[], |(_, people)| people)
    }

    /// The list at this moment.
    pub fn at(&self, at: Timestamp) -> &[T] {
        let mut so_far = self.0.iter().rev();
        let version = so_far.find(|(from, _)| *from <= at);
        version.map_or(&[], |(_, people)| people)
    }
}
