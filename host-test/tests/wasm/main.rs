//! The component as WebAssembly, in the host: claims that only it can show.

mod budgets;
mod imports;
mod in_the_open;
mod instances;
mod many;
mod operating;
mod runaway;
mod whole;
