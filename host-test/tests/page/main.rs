//! The page: as a person without scripts sees it, and in a real browser.

mod axe;
mod browser;
mod events;
mod forms;
mod login;
mod safety;
mod town;
mod webdriver;
