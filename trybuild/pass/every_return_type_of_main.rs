#![deny(warnings)]

use std::process::ExitCode;

mod nothing {
    #[graceful::main]
    pub async fn main() {}
}

mod a_code {
    #[graceful::main]
    pub async fn main() -> std::process::ExitCode {
        std::process::ExitCode::from(7)
    }
}

mod a_result {
    #[graceful::main]
    pub async fn main(ctx: graceful::Context) -> Result<(), std::io::Error> {
        drop(ctx);
        Ok(())
    }
}

mod a_result_of_anyhow {
    #[graceful::main]
    pub async fn main() -> anyhow::Result<()> {
        anyhow::bail!("no")
    }
}

#[graceful::main(health = "off")]
async fn main(_ctx: graceful::Context) -> Result<ExitCode, Box<dyn std::error::Error + Send + Sync>> {
    let _: [fn() -> ExitCode; 4] = [nothing::main, a_code::main, a_result::main, a_result_of_anyhow::main];
    Ok(ExitCode::SUCCESS)
}
