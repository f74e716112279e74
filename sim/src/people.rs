//! A vendor's people at work, as their list is and as it was.

use jiff::Timestamp;

/// Every version of the list, and from when on it was; the first one is from the beginning on.
#[derive(Debug, Clone)]
pub struct People<T>(Vec<(Timestamp, Vec<T>)>);

impl<T> People<T> {
    pub(super) fn new(at: Timestamp, people: Vec<T>) -> Self {
        Self(vec![(at, people)])
    }

    /// The list is changed in any way.
    pub(super) fn change(&mut self, at: Timestamp, change: impl FnOnce(&mut Vec<T>))
    where
        T: Clone,
    {
        let mut people = self.now().to_vec();
        change(&mut people);
        self.0.push((at, people));
    }

    /// Who is in it.
    pub fn now(&self) -> &[T] {
        self.0.last().map_or(&[], |(_, people)| people)
    }

    /// Who was in it at this moment.
    pub fn at(&self, at: Timestamp) -> &[T] {
        let mut so_far = self.0.iter().rev();
        let version = so_far.find(|(from, _)| *from <= at);
        version.map_or(&[], |(_, people)| people)
    }
}
