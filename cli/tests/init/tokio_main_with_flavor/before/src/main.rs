#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sums = tokio::spawn(async { (1..=10).sum::<u64>() });
    println!("{}", sums.await?);
    Ok(())
}
