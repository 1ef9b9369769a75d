//! Loads the cdylib that its argument names, runs the lifecycle of the cdylib, and shuts down.

use std::{env, error::Error};

#[graceful::shutdown_hook(order = 1, timeout = "1s")]
fn loader_hook() {
    println!("ran loader_hook");
}

#[graceful::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("the path of the cdylib is missing")?;
    // In a thread without a runtime, because the cdylib starts its own.
    let code = std::thread::spawn(move || run(&path)).join().map_err(|_| "the cdylib panicked")?;
    println!("the plugin returned {}", code?);
    Ok(())
}

#[allow(unsafe_code)]
fn run(path: &std::ffi::OsStr) -> Result<u8, String> {
    // SAFETY: the initializers of this cdylib are those of Rust's standard library.
    let plugin = unsafe { libloading::Library::new(path) }.map_err(|error| error.to_string())?;
    // SAFETY: this is the signature of the function in `lib.rs`.
    let function = unsafe { plugin.get::<extern "C" fn() -> u8>(b"run_the_plugin") };
    let code = function.map_err(|error| error.to_string())?();
    std::mem::forget(plugin); // threads of the cdylib may still run its code
    Ok(code)
}
