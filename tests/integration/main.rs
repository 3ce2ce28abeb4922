//! A real server on port 0, with the deterministic backend: what callers see, whatever the model says.

mod support;

mod analysis;
mod bounds;
mod lifecycle;
mod services;
