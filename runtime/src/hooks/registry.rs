//! Every hook, from the binary and from run time, in ordered groups; and the time that each may take.

use crate::{
    hooks::descriptor::{self as hook, HookContext, HookRun, MissingState},
    report::summary::HookName,
};
use graceful_plan::HookGroup;
use std::{
    borrow::Cow,
    future::Future,
    panic::Location,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Prepares a hook's call.
pub(crate) type Start = Box<dyn FnOnce(&HookContext) -> Result<HookRun, MissingState> + Send>;

/// One hook, ready to run.
pub(crate) struct Planned {
    pub(crate) name: HookName,
    pub(crate) timeout: Option<Duration>,
    pub(crate) start: Start,
}

/// The hooks of one order, which run together.
pub(crate) struct Group {
    pub(crate) order: i32,
    pub(crate) hooks: Vec<Planned>,
}

/// Hooks that were registered at run time; `None` once the hooks phase has taken them.
pub(crate) struct Registry {
    linked: bool,
    late: Mutex<Option<Vec<Planned>>>,
}

impl Registry {
    /// A registry with the link-time hooks or without them.
    pub(crate) fn new(linked: bool) -> Self {
        Self { linked, late: Mutex::new(Some(Vec::new())) }
    }

    /// Registers a hook at run time; gives it back once it is too late.
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
            Some(late) => late.push(Planned { name, timeout: None, start }),
            None => return Err(name),
        }
        Ok(())
    }

    /// Every hook in ascending order; hooks of one order in the order of package, file and line.
    pub(crate) fn take(&self) -> Vec<Group> {
        let mut hooks = self.lock().take().unwrap_or_default();
        if self.linked {
            hooks.extend(linked().into_iter().map(|hook| Planned {
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

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Vec<Planned>>> {
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

/// The link-time hooks as the budget sees them.
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

/// What a group asks of the time that is left: its longest explicit timeout, and whether a hook has none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) longest: Duration,
    pub(crate) open: bool,
}

/// What all groups after one ask of the time that is left: the sum of their longest explicit timeouts, and how many
/// have a hook without a timeout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Later {
    explicit: Duration,
    open: u32,
}

impl Group {
    pub(crate) fn wish(&self) -> Wish {
        Wish {
            longest: self.hooks.iter().filter_map(|hook| hook.timeout).max().unwrap_or_default(),
            open: self.hooks.iter().any(|hook| hook.timeout.is_none()),
        }
    }
}

impl Later {
    /// The groups from `wish` on.
    fn and(self, wish: Wish) -> Self {
        Self { explicit: self.explicit.saturating_add(wish.longest), open: self.open + u32::from(wish.open) }
    }
}

/// For each group, what it asks for itself, and what those after it ask for: added up once, from the end, as thousands
/// of groups would be too many to add up again for each hook.
pub(crate) fn wishes(groups: &[Group]) -> Vec<(Wish, Later)> {
    let (mut wishes, mut later) = (Vec::with_capacity(groups.len()), Later::default());
    for wish in groups.iter().rev().map(Group::wish) {
        wishes.push((wish, later));
        later = later.and(wish);
    }
    wishes.reverse();
    wishes
}

/// How long the hooks of a group may take, of what is `left` for it and the groups after it: no hook can starve
/// those after it. Explicit timeouts are kept, or all cut in proportion if they do not fit any more; what is over
/// is shared evenly among the groups that have a hook without a timeout.
pub(crate) fn limit(timeout: Option<Duration>, own: Wish, later: Later, left: Duration) -> Duration {
    let explicit = later.explicit.saturating_add(own.longest);
    let scale = if explicit > left { left.as_secs_f64() / explicit.as_secs_f64() } else { 1.0 };
    let scaled = |explicit: Duration| explicit.mul_f64(scale).min(left);
    timeout.map_or_else(|| scaled(own.longest) + left.saturating_sub(explicit) / (later.open + 1), scaled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn wish(secs: u64, open: bool) -> Wish {
        Wish { longest: Duration::from_secs(secs), open }
    }

    fn later(wishes: &[Wish]) -> Later {
        wishes.iter().fold(Later::default(), |later, wish| later.and(*wish))
    }

    #[test]
    fn each_group_knows_what_those_after_it_ask_for() {
        let planned = |order, timeout| Planned {
            name: HookName { name: "".into(), package: None, file: "", line: 0, order },
            timeout,
            start: Box::new(|_| Ok(HookRun::blocking(|| Ok(())))),
        };
        let group = |order, timeouts: &[Option<u64>]| Group {
            order,
            hooks: timeouts.iter().map(|secs| planned(order, secs.map(Duration::from_secs))).collect(),
        };
        let groups =
            [group(1, &[Some(3), None]), group(2, &[None]), group(3, &[Some(1), Some(2)]), group(4, &[Some(4)])];
        let own: Vec<_> = groups.iter().map(Group::wish).collect();
        let seen: Vec<_> = wishes(&groups).into_iter().map(|(_, later)| later).collect();
        assert_eq!(seen, [later(&own[1..]), later(&own[2..]), later(&own[3..]), Later::default()]);
        assert_eq!(seen[0], Later { explicit: Duration::from_secs(6), open: 1 });
    }

    #[test]
    fn what_is_left_is_shared_among_groups_without_a_timeout() {
        let secs = Duration::from_secs;
        // 14 s left, 4 s of it promised to a later group: two open groups get 5 s each.
        assert_eq!(limit(None, wish(0, true), later(&[wish(4, false), wish(0, true)]), secs(14)), secs(5));
        assert_eq!(limit(Some(secs(3)), wish(3, false), later(&[wish(0, true)]), secs(14)), secs(3));
        // Beside an explicit hook, an open one has at least as long.
        assert_eq!(limit(None, wish(4, true), later(&[]), secs(14)), secs(14));
        // Too little left: everything is cut in proportion.
        assert_eq!(limit(Some(secs(6)), wish(6, false), later(&[wish(6, false)]), secs(6)), secs(3));
        assert_eq!(limit(None, wish(0, true), later(&[wish(8, false)]), secs(4)), secs(0));
    }

    proptest! {
        #[test]
        fn groups_that_use_all_of_their_time_never_exceed_what_is_left(
            left in 0u64..60_000,
            groups in proptest::collection::vec((0u64..20_000, any::<bool>()), 1..8),
        ) {
            let left = Duration::from_millis(left);
            let wishes: Vec<_> = groups.iter().map(|&(ms, open)| Wish { longest: Duration::from_millis(ms), open }).collect();
            let mut spent = Duration::ZERO;
            for (at, own) in wishes.iter().enumerate() {
                let later = later(&wishes[at + 1..]);
                let explicit = limit(Some(own.longest), *own, later, left.saturating_sub(spent));
                let open = if own.open { limit(None, *own, later, left.saturating_sub(spent)) } else { Duration::ZERO };
                spent += explicit.max(open);
            }
            prop_assert!(spent <= left + Duration::from_micros(1), "{spent:?} of {left:?}");
        }
    }
}
