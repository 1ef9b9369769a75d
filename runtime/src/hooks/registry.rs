//! Every hook, linked and registered at run time, in ordered groups.

use super::time_limit::Demand;
use crate::{
    hooks::descriptor::{self as hook, HookContext, HookRun, MissingState},
    report::outcome::HookName,
};
use graceful_plan::HookGroup;
use std::{
    borrow::Cow,
    future::Future,
    panic::Location,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Prepares the call of a hook.
pub(crate) type Start = Box<dyn FnOnce(&HookContext) -> Result<HookRun, MissingState> + Send>;

/// One hook, ready to run.
pub(crate) struct RegisteredHook {
    pub(crate) name: HookName,
    pub(crate) timeout: Option<Duration>,
    pub(crate) start: Start,
}

/// The hooks of one order, which run together.
pub(crate) struct Group {
    pub(crate) order: i32,
    pub(crate) hooks: Vec<RegisteredHook>,
}

impl Group {
    /// What the group asks of the time that is left.
    pub(crate) fn demand(&self) -> Demand {
        Demand::of(self.hooks.iter().map(|hook| hook.timeout))
    }
}

/// The hooks of a process.
pub(crate) struct Registry {
    /// Whether the link-time hooks run.
    linked: bool,
    /// Hooks that were registered at run time; `None` once the hooks phase has begun.
    late: Mutex<Option<Vec<RegisteredHook>>>,
}

impl Registry {
    /// A registry with or without the link-time hooks.
    pub(crate) fn new(linked: bool) -> Self {
        Self { linked, late: Mutex::new(Some(Vec::new())) }
    }

    /// Registers a hook at run time.
    ///
    /// # Errors
    /// The hooks phase has begun: the name of the hook, which does not run.
    pub(crate) fn add<F, Fut>(
        &self,
        order: i32,
        name: Cow<'static, str>,
        hook: F,
        at: &Location<'static>,
    ) -> Result<(), HookName>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: hook::HookReturn,
    {
        let name = HookName { name, package: None, file: at.file(), line: at.line(), order };
        let start: Start = Box::new(move |_| {
            let call = async move { hook::HookReturn::into_result(hook().await) };
            Ok(HookRun::future(call))
        });
        match &mut *self.lock() {
            Some(late) => late.push(RegisteredHook { name, timeout: None, start }),
            None => return Err(name),
        }
        Ok(())
    }

    /// Takes every hook, in groups of ascending order; within a group by package, file and line.
    pub(crate) fn take(&self) -> Vec<Group> {
        let mut hooks = self.lock().take().unwrap_or_default();
        if self.linked {
            hooks.extend(linked().into_iter().map(|hook| RegisteredHook {
                name: hook.title(),
                timeout: hook.timeout,
                start: Box::new(hook.start),
            }));
        }
        hooks.sort_by(|a, b| key(&a.name).cmp(&key(&b.name)));
        let mut groups: Vec<Group> = Vec::new();
        for hook in hooks {
            match groups.last_mut() {
                Some(group) if group.order == hook.name.order => group.hooks.push(hook),
                _ => groups.push(Group { order: hook.name.order, hooks: vec![hook] }),
            }
        }
        groups
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Vec<RegisteredHook>>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(name: &HookName) -> (i32, Option<&'static str>, &'static str, u32, &str) {
    (name.order, name.package, name.file, name.line, &name.name)
}

/// The link-time hooks in the order in which they run.
pub(crate) fn linked() -> Vec<&'static hook::Hook> {
    let mut hooks: Vec<_> = hook::linked().into_iter().flatten().collect();
    hooks.sort_unstable_by_key(|hook| (hook.order, hook.package, hook.file, hook.line, hook.name));
    hooks
}

/// The link-time hooks, as the budget counts them: one group per order.
pub(crate) fn budget_groups(hooks: &[&hook::Hook]) -> Vec<HookGroup> {
    let mut groups: Vec<HookGroup> = Vec::new();
    for hook in hooks {
        let longest = hook.timeout.unwrap_or_default();
        match groups.last_mut() {
            Some(group) if group.order == hook.order && group.longest >= longest => {}
            Some(group) if group.order == hook.order => {
                group.longest = longest;
                group.name = hook.name.to_owned();
            }
            _ => groups.push(HookGroup { order: hook.order, longest, name: hook.name.to_owned() }),
        }
    }
    groups
}
