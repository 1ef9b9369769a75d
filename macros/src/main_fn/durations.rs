//! The durations of the plan: read, and held against each other as far as they are known here.

use crate::{
    args::Args,
    diagnostics::Diagnostics,
    values::{self, Length},
};
use graceful_plan::{Budget, Plan, duration::Pretty};
use proc_macro2::{Ident, Span};
use std::time::Duration;
use syn::Expr;

/// The keys that the budget counts, and those that it does not.
const COUNTED: [&str; 6] = ["grace", "grace_limit", "drain", "termination_grace_period", "pre_stop", "margin"];
const UNCOUNTED: [&str; 2] = ["quiet", "liveness_heartbeat"];

/// What is wrong with a duration of zero, and what to write.
pub(crate) const QUIET_OF_ZERO: (&str, &str) =
    ("a quiet time of zero is over at once", "write for example `quiet = \"1s\"`, longer than pauses between requests");
pub(crate) const HEARTBEAT_OF_ZERO: (&str, &str) = (
    "a heartbeat of zero is always late, and liveness would never pass",
    "write for example `liveness_heartbeat = \"10s\"`, or leave it out: the runtime is not checked then",
);

/// The durations that were written.
pub(crate) struct Durations {
    lengths: Vec<(&'static str, Length)>,
}

impl Durations {
    pub(crate) fn new(args: &mut Args, errors: &mut Diagnostics) -> Self {
        let (mut durations, mut given, mut unread) = (Self { lengths: Vec::new() }, Vec::new(), Vec::new());
        for field in COUNTED.into_iter().chain(UNCOUNTED) {
            if args.is_broken(field) {
                unread.push(field);
            }
            if let Some(value) = args.value(field) {
                given.push((field, value.name.clone()));
                match values::length(value, errors) {
                    Some(length) => durations.lengths.push((field, length)),
                    None => unread.push(field),
                }
            }
        }
        values::not_zero(durations.get("quiet"), QUIET_OF_ZERO, errors);
        values::not_zero(durations.get("liveness_heartbeat"), HEARTBEAT_OF_ZERO, errors);
        durations.check_pair(&given, &unread, errors);
        if !unread.contains(&"grace") {
            durations.check_limit(errors);
        }
        if !COUNTED.iter().any(|field| unread.contains(field)) {
            durations.check_budget(errors);
        }
        durations
    }

    /// What was written, by field of the plan, and whether that field is an `Option`.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &Length, bool)> {
        let optional = |field| matches!(field, "quiet" | "grace_limit" | "liveness_heartbeat");
        self.lengths.iter().map(move |(field, length)| (*field, length, optional(*field)))
    }

    /// The first of these durations that only the compiler can evaluate.
    pub(crate) fn first_const(&self, fields: &[&str]) -> Option<&Expr> {
        self.lengths.iter().filter(|(field, _)| fields.contains(field)).find_map(|(_, length)| length.expression())
    }

    /// The first one that the budget counts.
    pub(crate) fn first_counted_const(&self) -> Option<&Expr> {
        self.first_const(&COUNTED)
    }

    /// Whether there is a limit that must be longer than grace.
    pub(crate) fn has_limit(&self) -> bool {
        self.get("grace_limit").is_some()
    }

    fn get(&self, field: &str) -> Option<&Length> {
        self.lengths.iter().find(|(name, _)| *name == field).map(|(_, length)| length)
    }

    /// `grace`, if it is known here, and whether it was left out.
    fn grace(&self) -> Option<(Duration, bool)> {
        match self.get("grace") {
            None => Some((Plan::DEFAULT.grace, true)),
            Some(length) => length.literal().map(|(length, _)| (length, false)),
        }
    }

    /// A limit that there is room for: twice grace.
    fn some_limit(&self) -> Pretty {
        let grace = self.grace().map(|(grace, _)| grace).filter(|grace| !grace.is_zero());
        Pretty(grace.unwrap_or(Plan::DEFAULT.grace).saturating_mul(2))
    }

    /// `quiet` and `grace_limit` mean something only together.
    fn check_pair(&self, given: &[(&str, Ident)], unread: &[&str], errors: &mut Diagnostics) {
        let find = |field: &str| given.iter().find(|(name, _)| *name == field).map(|(_, name)| name);
        match (find("quiet"), find("grace_limit")) {
            (Some(quiet), None) if !unread.contains(&"grace_limit") => errors.on(
                quiet,
                "`quiet` needs a `grace_limit`: traffic may never pause, and grace must end",
                format!("write `grace_limit = \"{}\"` beside it; the limit counts in the budget", self.some_limit()),
            ),
            (None, Some(limit)) if !unread.contains(&"quiet") => errors.on(
                limit,
                "`grace_limit` does nothing without `quiet`: it is how long grace may wait for quiet",
                "write `quiet = \"1s\"` beside it, or remove `grace_limit`: grace then has the length of `grace`",
            ),
            _ => {}
        }
    }

    fn check_limit(&self, errors: &mut Diagnostics) {
        let limit = self.get("grace_limit").and_then(Length::literal);
        if let (Some((limit, span)), Some((grace, by_default))) = (limit, self.grace())
            && limit <= grace
        {
            let default = if by_default { ", the default" } else { "" };
            let problem = format!(
                "`grace_limit` ({}) must be longer than `grace` ({}{default}): grace ends between the two",
                Pretty(limit),
                Pretty(grace)
            );
            errors.at(span, problem, format!("write `grace_limit = \"{}\"`, or shorten `grace`", self.some_limit()));
        }
    }

    /// Applies the budget rule if every duration is known here.
    fn check_budget(&self, errors: &mut Diagnostics) {
        let mut plan = Plan::DEFAULT;
        let mut largest = None::<(bool, Duration, Span)>;
        for (field, length) in self.lengths.iter().filter(|(field, _)| COUNTED.contains(field)) {
            let Some((length, span)) = length.literal() else { return };
            *match *field {
                "grace" => &mut plan.grace,
                "grace_limit" => plan.grace_limit.insert(length),
                "drain" => &mut plan.drain,
                "pre_stop" => &mut plan.pre_stop,
                "margin" => &mut plan.margin,
                _ => &mut plan.termination_grace_period,
            } = length;
            // The limit is only to blame if nothing else was written.
            let weight = (*field != "termination_grace_period", length);
            if largest.is_none_or(|(is_part, length, _)| weight > (is_part, length)) {
                largest = Some((weight.0, weight.1, span));
            }
        }
        if let Err(error) = Budget::new(plan, Vec::new()).check() {
            let span = largest.map_or_else(Span::call_site, |(_, _, span)| span);
            let text = error.to_string();
            let problem = text.strip_suffix(error.fix()).unwrap_or(&text).trim_end();
            errors.at(span, problem, error.fix());
        }
    }
}
