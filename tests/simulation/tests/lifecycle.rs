//! The lifecycle beside a reference model: any sequence of events leads through the same phases at the same moments.
//!
//! The model knows nothing of the code: it is the table of phases of the documentation, with a clock of milliseconds.
//! The lifecycle runs whole, in a runtime with paused time.
#![allow(clippy::unwrap_used)]

use graceful::{Builder, Context, Health, MainResult, Phase, Plan, Report, Signal, StartError, Triggers, What};
use graceful_simulation::silence::silence;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use std::{cell::RefCell, future::pending, rc::Rc, time::Duration};
use tokio::{
    runtime::Runtime,
    sync::oneshot,
    task::{JoinHandle, LocalSet, yield_now},
    time::sleep,
};

/// How long the one hook works, in milliseconds.
const HOOK: u64 = 7;

#[derive(Debug, Clone)]
enum Event {
    Ready,
    Interrupt,
    Terminate,
    Stop,
    MainReturns,
    TaskBegins,
    TaskEnds,
    TimePasses(u64),
}

/// The reference model.
#[derive(Debug, Clone)]
struct Model {
    grace: u64,
    drain: u64,
    /// What the budget leaves for the hook.
    room: u64,
    now: u64,
    phases: Vec<(Phase, u64)>,
    began: Option<u64>,
    main_runs: bool,
    tasks: usize,
    interrupts: usize,
    /// How many tasks were cut, and whether `main` was.
    cut: (usize, bool),
    hook_ends: Option<u64>,
    is_forced: bool,
}

impl Model {
    fn new(grace: u64, drain: u64, room: u64) -> Self {
        Self {
            grace,
            drain,
            room,
            now: 0,
            phases: vec![(Phase::Starting, 0)],
            began: None,
            main_runs: true,
            tasks: 0,
            interrupts: 0,
            cut: (0, false),
            hook_ends: None,
            is_forced: false,
        }
    }

    fn phase(&self) -> Phase {
        self.phases.last().unwrap().0
    }

    fn deadline(&self) -> u64 {
        self.began.unwrap() + self.grace + self.drain + self.room
    }

    fn is_over(&self) -> bool {
        self.is_forced || self.phase() == Phase::Stopped
    }

    fn enter(&mut self, phase: Phase, at: u64) {
        self.phases.push((phase, at));
        if phase == Phase::Hooks {
            self.cut = (self.tasks, self.main_runs);
            (self.tasks, self.main_runs) = (0, false);
            self.hook_ends = Some((at + HOOK).min(self.deadline()));
        }
    }

    fn stop(&mut self, at: u64) {
        if self.began.is_none() {
            self.began = Some(at);
            self.enter(if self.phase() == Phase::Serving { Phase::Grace } else { Phase::Draining }, at);
        }
    }

    /// What happens by itself at `at` or before it.
    fn settle(&mut self, at: u64) {
        while !self.is_over() {
            let since = self.phases.last().unwrap().1;
            match self.phase() {
                Phase::Grace if self.began.unwrap() + self.grace <= at => {
                    self.enter(Phase::Draining, self.began.unwrap() + self.grace);
                }
                Phase::Draining if !self.main_runs && self.tasks == 0 => self.enter(Phase::Hooks, self.now.max(since)),
                Phase::Draining if (since + self.drain).min(self.deadline()) <= at => {
                    self.enter(Phase::Hooks, (since + self.drain).min(self.deadline()));
                }
                Phase::Hooks if self.hook_ends.unwrap() <= at => self.enter(Phase::Stopped, self.hook_ends.unwrap()),
                _ => break,
            }
        }
        self.now = at;
    }

    fn apply(&mut self, event: &Event) {
        let now = self.now;
        match event {
            Event::TimePasses(time) => return self.settle(now + time),
            Event::Ready if self.phase() == Phase::Starting => self.enter(Phase::Serving, now),
            Event::Ready => {}
            Event::Terminate | Event::Stop => self.stop(now),
            Event::Interrupt if self.is_over() => {}
            Event::Interrupt => {
                self.interrupts += 1;
                match self.interrupts {
                    1 => self.stop(now),
                    2 if matches!(self.phase(), Phase::Grace | Phase::Draining) => self.enter(Phase::Hooks, now),
                    2 => {}
                    _ => self.is_forced = true,
                }
            }
            Event::MainReturns => {
                self.main_runs = false;
                if self.phase() < Phase::Draining {
                    self.began.get_or_insert(now);
                    self.enter(Phase::Draining, now);
                }
            }
            Event::TaskBegins => self.tasks += 1,
            Event::TaskEnds => self.tasks -= 1,
        }
        self.settle(now);
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Event;

    fn init_state() -> BoxedStrategy<Self> {
        let grace = prop_oneof![Just(0), 1..300u64];
        let room = prop_oneof![Just(0), Just(3), Just(1000)];
        (grace, 1..300u64, room).prop_map(|(grace, drain, room)| Self::new(grace, drain, room)).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Event> {
        prop_oneof![
            3 => Just(Event::Ready),
            2 => Just(Event::Interrupt),
            1 => Just(Event::Terminate),
            1 => Just(Event::Stop),
            1 => Just(Event::MainReturns),
            2 => Just(Event::TaskBegins),
            2 => Just(Event::TaskEnds),
            4 => (1..200u64).prop_map(Event::TimePasses),
        ]
        .boxed()
    }

    fn preconditions(state: &Self, event: &Event) -> bool {
        match event {
            Event::MainReturns => state.main_runs,
            Event::TaskBegins => state.phase() < Phase::Hooks,
            Event::TaskEnds => state.tasks > 0,
            _ => true,
        }
    }

    fn apply(mut state: Self, event: &Event) -> Self {
        Self::apply(&mut state, event);
        state
    }
}

/// The lifecycle under test, with what its events need.
struct Lifecycle {
    runtime: Runtime,
    local: LocalSet,
    context: Context,
    triggers: Triggers,
    main: Option<oneshot::Sender<()>>,
    tasks: Vec<oneshot::Sender<()>>,
    run: JoinHandle<Result<Report, StartError>>,
}

/// Lets every task run until it waits for time or for an event.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

impl Lifecycle {
    fn start(model: &Model) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let local = LocalSet::new();
        let millis = Duration::from_millis;
        let plan = Plan {
            grace: millis(model.grace),
            drain: millis(model.drain),
            termination_grace_period: millis(model.grace + model.drain + model.room),
            margin: Duration::ZERO,
            health: Health::Off,
            ..Plan::DEFAULT
        };
        let builder = Builder::for_tests().plan(plan);
        let triggers = builder.triggers();
        let (main, returns) = oneshot::channel();
        let context = Rc::new(RefCell::new(None));
        let known = context.clone();
        let run = local.spawn_local(builder.run_here(move |context| async move {
            context.on_shutdown(1, "hook", move || sleep(millis(HOOK)));
            *known.borrow_mut() = Some(context);
            if returns.await.is_err() {
                pending().await
            }
        }));
        local.block_on(&runtime, settle());
        let context = context.take().unwrap();
        Self { runtime, local, context, triggers, main: Some(main), tasks: Vec::new(), run }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Ready => self.context.ready(),
            Event::Interrupt => self.triggers.signal(Signal::Interrupt),
            Event::Terminate => self.triggers.signal(Signal::Terminate),
            Event::Stop => self.context.shutdown("the test asks for it"),
            Event::MainReturns => drop(self.main.take().unwrap().send(())),
            Event::TaskBegins => {
                let (sender, receiver) = oneshot::channel::<()>();
                self.context.spawn("task", async { drop(receiver.await) });
                self.tasks.push(sender);
            }
            Event::TaskEnds => drop(self.tasks.remove(0)),
            Event::TimePasses(_) => {}
        }
        self.local.block_on(&self.runtime, async {
            settle().await;
            if let Event::TimePasses(time) = event {
                sleep(Duration::from_millis(*time)).await;
                settle().await;
            }
        });
    }
}

struct Test;

impl StateMachineTest for Test {
    type SystemUnderTest = Lifecycle;
    type Reference = Model;

    fn init_test(model: &Model) -> Lifecycle {
        silence();
        Lifecycle::start(model)
    }

    fn apply(mut lifecycle: Lifecycle, model: &Model, event: Event) -> Lifecycle {
        lifecycle.apply(&event);
        assert_eq!(lifecycle.context.phase(), model.phase(), "after {event:?}");
        lifecycle
    }

    fn teardown(mut lifecycle: Lifecycle, mut model: Model) {
        for event in [Event::Terminate, Event::TimePasses(10_000)] {
            model.apply(&event);
            lifecycle.apply(&event);
        }
        let report = lifecycle.local.block_on(&lifecycle.runtime, &mut lifecycle.run).unwrap().unwrap();
        let phases = report.entries.iter().filter_map(|entry| match &entry.what {
            What::Phase(phase, _) => Some((*phase, entry.at.as_millis() as u64)),
            _ => None,
        });
        assert_eq!(phases.collect::<Vec<_>>(), model.phases[1..], "{report}");
        let cuts = report.entries.iter().filter_map(|entry| match &entry.what {
            What::Cut(_, count) => Some(count),
            _ => None,
        });
        assert_eq!((cuts.sum(), report.main() == Some(&MainResult::Cut)), model.cut, "{report}");
        let hooks = model.phases.iter().find(|(phase, _)| *phase == Phase::Hooks).map(|(_, began)| *began);
        let left = hooks.map_or(u64::MAX, |began| model.deadline() - began);
        let code = match (model.is_forced, model.cut != (0, false) || left < HOOK) {
            (true, _) => 130,
            (false, true) => 3,
            // A hook that ends at its limit, to the millisecond, has ended or has timed out.
            (false, false) if left == HOOK => return assert!([0, 3].contains(&report.exit_code()), "{report}"),
            (false, false) => 0,
        };
        assert_eq!(report.exit_code(), code, "{report}");
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_lifecycle_follows_the_model(sequential 1..25 => Test);
}
