//! The component as WebAssembly, in the host: what only it can show.

mod budgets;
mod imports;
mod instances;
mod operating;
mod runaway;
mod whole;
