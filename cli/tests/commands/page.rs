//! The page of a rehearsal in a browser: headless Chromium, if it is installed.

use crate::harness::rehearse;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Silent, without network, and for containers.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
];

/// Runs the browser on a page; `None` if there is no browser.
fn browse(page: &Path, options: &[&str]) -> Option<Output> {
    let profile = page.with_extension("profile");
    let mut browser = Command::new("chromium");
    browser.args(FLAGS).args(options).arg(format!("--user-data-dir={}", profile.display()));
    let output = browser.arg(format!("file://{}", page.display())).output();
    let _ = fs::remove_dir_all(profile);
    output.ok().filter(|output| output.status.success())
}

/// The pixels of the page in a color scheme, as red, green and blue.
fn screenshot(page: &Path, scheme: &str) -> Option<Vec<[u8; 3]>> {
    let picture = page.with_extension(format!("{scheme}.png"));
    let mut options = vec!["--window-size=1000,800".to_owned(), format!("--screenshot={}", picture.display())];
    options.extend((scheme == "dark").then(|| "--force-dark-mode".to_owned()));
    browse(page, &options.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mut reader = png::Decoder::new(std::io::BufReader::new(fs::File::open(&picture).unwrap())).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    let bytes = &bytes[..frame.buffer_size()];
    fs::remove_file(picture).unwrap();
    Some(bytes.chunks_exact(frame.color_type.samples()).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect())
}

/// The share of the pixels that are plainly of one color, by its index.
fn share(pixels: &[[u8; 3]], color: usize) -> f64 {
    let is = |pixel: &&[u8; 3]| (0..3).all(|other| other == color || pixel[color] > pixel[other].saturating_add(50));
    pixels.iter().filter(is).count() as f64 / pixels.len() as f64
}

#[test]
fn the_page_shows_a_failure_in_light_and_dark_and_fits_a_small_screen() {
    let page = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("page-{}.html", std::process::id()));
    let run = rehearse("dies-by-signal", &["--html", page.to_str().unwrap()]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let text = fs::read_to_string(&page).unwrap();
    for external in ["src=", "href=", "url(", "@import", "<script"] {
        assert!(!text.contains(external), "the page is not self-contained: {external}");
    }
    let Some(light) = screenshot(&page, "light") else {
        fs::remove_file(page).unwrap();
        return println!("skipped: chromium is not installed");
    };
    let dark = screenshot(&page, "dark").unwrap();
    assert!(
        light[0].iter().all(|part| *part > 200) && dark[0].iter().all(|part| *part < 60),
        "{:?} {:?}",
        light[0],
        dark[0]
    );
    for pixels in [&light, &dark] {
        let (red, green) = (share(pixels, 0), share(pixels, 1));
        assert!(red > 0.01 && green > 0.01, "failures in {red} of the picture, success in {green}");
    }
    // A phone: nothing is wider than the screen. The script writes the width into the title.
    let script = "<script>document.title = 'width ' + document.documentElement.scrollWidth</script></body>";
    fs::write(&page, text.replace("</body>", script)).unwrap();
    let dom = browse(&page, &["--window-size=500,800", "--dump-dom"]).unwrap();
    fs::remove_file(page).unwrap();
    let dom = String::from_utf8_lossy(&dom.stdout).into_owned();
    let width = dom.split("<title>width ").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
    assert!((300..=500).contains(&width.parse::<u32>().unwrap()), "the page is {width} pixels wide");
}
