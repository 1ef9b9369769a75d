//! The plan that a program prints with `GRACEFUL_PRINT=plan`, as values.

use graceful_plan::duration;
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// A shutdown hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hook {
    pub(crate) name: String,
    pub(crate) order: i64,
    /// `None`: a fair share of the remaining time.
    pub(crate) timeout: Option<Duration>,
    pub(crate) package: String,
    pub(crate) file: String,
    pub(crate) line: u64,
}

/// The effective plan of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) package: String,
    pub(crate) pre_stop: Duration,
    /// The longest possible grace.
    pub(crate) grace: Duration,
    pub(crate) drain: Duration,
    pub(crate) margin: Duration,
    pub(crate) termination_grace_period: Duration,
    pub(crate) hooks: Vec<Hook>,
    /// The object as printed.
    pub(crate) json: Value,
}

impl Plan {
    /// Reads the printed plan.
    ///
    /// # Errors
    /// What is missing or malformed.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
        let length = |name: &str| duration_at(&json, name)?.ok_or_else(|| format!("`{name}` is missing"));
        let hooks = json["hooks"].as_array().ok_or("`hooks` is missing")?;
        Ok(Self {
            package: word(&json, "package")?,
            pre_stop: length("pre_stop")?,
            grace: length("grace")?.max(duration_at(&json, "grace_limit")?.unwrap_or_default()),
            drain: length("drain")?,
            margin: length("margin")?,
            termination_grace_period: length("termination_grace_period")?,
            hooks: hooks.iter().map(Hook::parse).collect::<Result<_, _>>()?,
            json,
        })
    }

    /// The time that hooks with a timeout may take: the sum over the orders of the longest timeout.
    pub(crate) fn hooks_need(&self) -> Duration {
        let mut longest: BTreeMap<i64, Duration> = BTreeMap::new();
        for hook in &self.hooks {
            let slot = longest.entry(hook.order).or_default();
            *slot = (*slot).max(hook.timeout.unwrap_or_default());
        }
        longest.values().sum()
    }
}

impl Hook {
    fn parse(json: &Value) -> Result<Self, String> {
        Ok(Self {
            name: word(json, "name")?,
            order: json["order"].as_i64().ok_or("`order` of a hook is missing")?,
            timeout: duration_at(json, "timeout")?,
            package: word(json, "crate")?,
            file: word(json, "file")?,
            line: json["line"].as_u64().ok_or("`line` of a hook is missing")?,
        })
    }
}

fn word(json: &Value, name: &str) -> Result<String, String> {
    json[name].as_str().map(str::to_owned).ok_or_else(|| format!("`{name}` is missing"))
}

fn duration_at(json: &Value, name: &str) -> Result<Option<Duration>, String> {
    match &json[name] {
        Value::Null => Ok(None),
        Value::String(text) => duration::parse(text).map(Some).map_err(|error| format!("`{name}`: {error}")),
        other => Err(format!("`{name}` is {other}, not a duration")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const PRINTED: &str = r#"{"package": "shop", "pre_stop": "2s", "grace": "5s", "grace_limit": "8s",
        "drain": "10s", "margin": "1s", "termination_grace_period": "30s", "hooks": [
        {"name": "deregister", "order": 1, "timeout": "2s", "crate": "shop", "file": "src/main.rs", "line": 3},
        {"name": "flush", "order": 1, "timeout": "3s", "crate": "shop", "file": "src/main.rs", "line": 9},
        {"name": "close <pool>", "order": 2, "timeout": null, "crate": "pool", "file": "pool/src/lib.rs", "line": 80}]}"#;

    #[test]
    fn a_printed_plan_is_read() {
        let plan = Plan::parse(PRINTED).unwrap();
        let seconds = Duration::from_secs;
        assert_eq!((plan.grace, plan.drain, plan.hooks_need()), (seconds(8), seconds(10), seconds(3)));
        assert_eq!((plan.hooks.len(), plan.hooks[2].timeout), (3, None));
    }

    #[test]
    fn what_is_wrong_with_a_plan_is_named() {
        for (text, said) in [
            ("", "not JSON"),
            ("serving on 3000", "not JSON"),
            ("[]", "`hooks` is missing"),
            (r#"{"hooks": []}"#, "`package` is missing"),
            (r#"{"hooks": [], "package": "a", "pre_stop": 5}"#, "`pre_stop` is 5, not a duration"),
            (r#"{"hooks": [], "package": "a", "pre_stop": "5"}"#, "`pre_stop`: `5` has no unit"),
        ] {
            let error = Plan::parse(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
