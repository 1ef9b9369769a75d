//! A `tracing` subscriber that prints each event to stderr as one line: thread, level, target, spans and fields.

use std::{
    cell::RefCell,
    collections::HashMap,
    fmt::{Debug, Write as _},
    io::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

thread_local! {
    static ENTERED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Installs the subscriber if the environment variable `SUBSCRIBER` is set. With `hangs` or `panics` it does so at the
/// event of grace.
pub fn install_if_asked() {
    if !super::stage::env_var("SUBSCRIBER").is_empty() {
        tracing::subscriber::set_global_default(Printer::default()).expect("no other subscriber is installed");
    }
}

#[derive(Default)]
struct Printer {
    next: AtomicU64,
    spans: Mutex<HashMap<u64, String>>,
}

/// Fields as `name=value`, and the plain message.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

impl Subscriber for Printer {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut fields = Fields(attributes.metadata().name().to_owned());
        attributes.record(&mut fields);
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).insert(number, fields.0);
        Id::from_u64(number)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let spans = ENTERED.with_borrow(|spans| spans.join(" > "));
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let thread = thread::current();
        let (thread, metadata) = (thread.name().unwrap_or("?"), event.metadata());
        let (level, target) = (metadata.level(), metadata.target());
        let _ = writeln!(std::io::stderr(), "{thread}: {level} {target} [{spans}]{}", fields.0);
        if fields.0.contains(" grace: after ") {
            match super::stage::env_var("SUBSCRIBER").as_str() {
                "hangs" => loop {
                    thread::park();
                },
                "panics" => panic!("the subscriber panics"),
                _ => {}
            }
        }
    }

    fn enter(&self, span: &Id) {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        let span = spans.get(&span.into_u64()).cloned().unwrap_or_default();
        ENTERED.with_borrow_mut(|entered| entered.push(span));
    }

    fn exit(&self, _: &Id) {
        ENTERED.with_borrow_mut(Vec::pop);
    }
}
