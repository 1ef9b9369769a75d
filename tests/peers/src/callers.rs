//! Callers of a client program that is written in Rust: arguments, calls and what they count, as in `clients/README.md`.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// A call that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(10);

/// The arguments of a client program.
#[derive(Debug, Clone)]
pub struct Arguments {
    /// Where to send the requests.
    pub url: String,
    /// Whether they are POSTs.
    pub post: bool,
    callers: usize,
    seconds: u64,
    pause: u64,
    /// Whether to speak HTTP/2.
    pub http2: bool,
}

impl Arguments {
    /// Reads the command line.
    ///
    /// # Panics
    /// It does not have the arguments of `clients/README.md`.
    pub fn read() -> Self {
        let all: Vec<_> = std::env::args().skip(1).collect();
        let [url, method, callers, seconds, pause, version] = all.as_slice() else {
            panic!("expected: URL METHOD CALLERS SECONDS PAUSE VERSION");
        };
        Self {
            url: url.clone(),
            post: method == "POST",
            callers: callers.parse().expect("CALLERS is a number"),
            seconds: seconds.parse().expect("SECONDS is a number"),
            pause: pause.parse().expect("PAUSE is a number"),
            http2: version == "2",
        }
    }

    /// The body of a request.
    pub fn body(&self) -> &'static str {
        const LONG: &str = match str::from_utf8(&[b'x'; 1024]) {
            Ok(text) => text,
            Err(_) => panic!("ASCII"),
        };
        if self.post { LONG } else { "" }
    }

    fn expected(&self) -> &'static str {
        if self.post { "1024\n" } else { "hello\n" }
    }
}

#[derive(Default)]
struct Count {
    calls: u64,
    errors: BTreeMap<String, u64>,
}

/// Runs the callers, and prints what they have counted. A call responds with a status and a text.
///
/// # Panics
/// A caller panics.
pub async fn run<C, F, E>(arguments: &Arguments, call: C)
where
    C: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = Result<(u16, String), E>> + Send,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    println!("started");
    let count = Arc::new(Mutex::new(Count::default()));
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let mut callers = JoinSet::new();
    for number in 0..arguments.callers {
        let (call, count, arguments) = (call.clone(), count.clone(), arguments.clone());
        let mut random = number as u64 + 1;
        callers.spawn(async move {
            while Instant::now() < end {
                let error = match timeout(LIMIT, call()).await {
                    Err(_) => Some("no response in 10 s".to_owned()),
                    Ok(Ok((200, text))) if text == arguments.expected() => None,
                    Ok(Ok((status, _))) => Some(format!("status {status}")),
                    Ok(Err(error)) => Some(innermost(&*error.into())),
                };
                {
                    let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
                    count.calls += 1;
                    if let Some(error) = error {
                        *count.errors.entry(error).or_default() += 1;
                    }
                }
                // Xorshift is random enough for a pause.
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                sleep(Duration::from_micros(random % (arguments.pause * 1000 + 1))).await;
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.expect("no caller panics");
    }
    let count = count.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{}", serde_json::json!({ "calls": count.calls, "errors": count.errors }));
}

/// The text of the last cause.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}
