macro_rules! answer {
    ($name:ident, $($rest:tt)*) => {
        async fn $name() -> u64 { $($rest)* }
    };
}

answer!(forty_two, 40 + 2);

#[tokio::main]
async fn main() {
    let (one, two) = tokio::join!(forty_two(), async {
        let stop = tokio::signal::ctrl_c();
        drop(stop);
        2
    });
    println!("{}", [one, two].iter().map(|n| format!("{n:?}")).collect::<String>());
    if std::env::args().count() > 5 {
        std::process::exit(1)
    }
}
