//! Parses the durations of the plan and checks the rules between literal durations.

use crate::{
    args::Args,
    diagnostics::Diagnostics,
    values::{self, Length},
};
use graceful_plan::{Budget, Plan, duration::Pretty};
use proc_macro2::{Ident, Span};
use std::time::Duration;
use syn::Expr;

/// The keys that are part of the budget, and the other durations.
const COUNTED: [&str; 6] = ["grace", "grace_limit", "drain", "termination_grace_period", "pre_stop", "margin"];
const UNCOUNTED: [&str; 2] = ["quiet", "liveness_heartbeat"];

/// Problem and fix of a `quiet` of zero.
pub(crate) const QUIET_OF_ZERO: (&str, &str) = (
    "a `quiet` of zero would end grace between two requests",
    "write for example `quiet = \"1s\"`, longer than pauses between requests",
);
/// Problem and fix of a `liveness_heartbeat` of zero.
pub(crate) const HEARTBEAT_OF_ZERO: (&str, &str) = (
    "with a heartbeat of zero, liveness would never pass",
    "write for example `liveness_heartbeat = \"10s\"`, or omit `liveness_heartbeat`: the runtime is then not checked",
);

/// The durations of the attribute.
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

    /// Each duration with its field of the plan, and whether that field is an `Option`.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &Length, bool)> {
        let optional = |field| matches!(field, "quiet" | "grace_limit" | "liveness_heartbeat");
        self.lengths.iter().map(move |(field, length)| (*field, length, optional(*field)))
    }

    /// The first const expression among these fields.
    pub(crate) fn first_const(&self, fields: &[&str]) -> Option<&Expr> {
        self.lengths.iter().filter(|(field, _)| fields.contains(field)).find_map(|(_, length)| length.expression())
    }

    /// The first const expression that is part of the budget.
    pub(crate) fn first_counted_const(&self) -> Option<&Expr> {
        self.first_const(&COUNTED)
    }

    /// Whether `grace_limit` is set.
    pub(crate) fn has_limit(&self) -> bool {
        self.get("grace_limit").is_some()
    }

    fn get(&self, field: &str) -> Option<&Length> {
        self.lengths.iter().find(|(name, _)| *name == field).map(|(_, length)| length)
    }

    /// A literal or default `grace`, and whether it is the default.
    fn grace(&self) -> Option<(Duration, bool)> {
        match self.get("grace") {
            None => Some((Plan::DEFAULT.grace, true)),
            Some(length) => length.literal().map(|(length, _)| (length, false)),
        }
    }

    /// An example of a valid limit: twice grace.
    fn example_limit(&self) -> Pretty {
        let grace = self.grace().map(|(grace, _)| grace).filter(|grace| !grace.is_zero());
        Pretty(grace.unwrap_or(Plan::DEFAULT.grace).saturating_mul(2))
    }

    /// Reports an error if only one of `quiet` and `grace_limit` is set.
    fn check_pair(&self, given: &[(&str, Ident)], unread: &[&str], errors: &mut Diagnostics) {
        let find = |field: &str| given.iter().find(|(name, _)| *name == field).map(|(_, name)| name);
        match (find("quiet"), find("grace_limit")) {
            (Some(quiet), None) if !unread.contains(&"grace_limit") => errors.on(
                quiet,
                "`quiet` needs a `grace_limit`, because traffic may never pause and grace must end",
                format!("add `grace_limit = \"{}\"`; the limit counts in the budget", self.example_limit()),
            ),
            (None, Some(limit)) if !unread.contains(&"quiet") => errors.on(
                limit,
                "`grace_limit` has no effect without `quiet`: it bounds how long grace waits for a pause in traffic",
                "add `quiet = \"1s\"`, or remove `grace_limit`: grace then has the length of `grace`",
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
                "`grace_limit` ({}) must be longer than `grace` ({}{default}): grace ends between these two times",
                Pretty(limit),
                Pretty(grace)
            );
            errors.at(span, problem, format!("write `grace_limit = \"{}\"`, or shorten `grace`", self.example_limit()));
        }
    }

    /// The default plan with the literals of the attribute.
    pub(crate) fn literal_plan(&self) -> Plan {
        let mut plan = Plan::DEFAULT;
        for (field, length) in &self.lengths {
            let Some((length, _)) = length.literal() else { continue };
            *match *field {
                "grace" => &mut plan.grace,
                "grace_limit" => plan.grace_limit.insert(length),
                "quiet" => plan.quiet.insert(length),
                "liveness_heartbeat" => plan.liveness_heartbeat.insert(length),
                "drain" => &mut plan.drain,
                "pre_stop" => &mut plan.pre_stop,
                "margin" => &mut plan.margin,
                _ => &mut plan.termination_grace_period,
            } = length;
        }
        plan
    }

    /// Applies the budget rule if every duration is a literal.
    fn check_budget(&self, errors: &mut Diagnostics) {
        let mut largest = None::<(bool, Duration, Span)>;
        for (field, length) in self.lengths.iter().filter(|(field, _)| COUNTED.contains(field)) {
            let Some((length, span)) = length.literal() else { return };
            // The error points at `termination_grace_period` only if the attribute sets no other duration.
            let weight = (*field != "termination_grace_period", length);
            if largest.is_none_or(|(is_part, length, _)| weight > (is_part, length)) {
                largest = Some((weight.0, weight.1, span));
            }
        }
        if let Err(error) = Budget::before_linking(self.literal_plan()).check() {
            let span = largest.map_or_else(Span::call_site, |(_, _, span)| span);
            let text = error.to_string();
            let problem = text.strip_suffix(error.fix()).unwrap_or(&text).trim_end();
            errors.at(span, problem, error.fix());
        }
    }
}
