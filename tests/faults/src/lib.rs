//! Shutdowns with faults: generates cells, runs each as one process, and checks what a shutdown promises.

pub mod moment;
pub mod fault;
pub mod cell;
mod surroundings;
mod clients;
mod prober;
mod throttle;
mod process;
pub mod observed;
pub mod run;
