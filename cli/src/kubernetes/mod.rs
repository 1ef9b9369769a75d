//! A Kubernetes cluster, through the user's own `kubectl`.

mod job;
mod kubectl;
mod pod;
mod pods;
mod rights;
mod watch;
mod workload;

pub(crate) use job::{Job, LoadPods, Program};
pub(crate) use kubectl::{CALL, Kubectl};
pub(crate) use pods::Pods;
pub(crate) use rights::{Right, check as check_rights};
pub(crate) use watch::follow;
pub(crate) use workload::{Kind, Target, Workload};
