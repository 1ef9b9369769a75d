//! Shutdowns with faults: generates cells, runs each as one process, and checks what a shutdown promises.

pub mod moment;
pub mod fault;
pub mod cell;
pub mod matrix;
pub mod random;
mod surroundings;
mod clients;
mod prober;
mod process;
mod throttle;
mod observed;
mod run;
mod expected;
mod invariants;
pub mod batch;
