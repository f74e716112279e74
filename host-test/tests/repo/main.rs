//! What is in the repository besides code: documents, deploy files, dashboards, dependencies.

mod advisories;
mod dashboards;
mod dependencies;
mod deploy;
mod docs;
mod readme;
mod release;
