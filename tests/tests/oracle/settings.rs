//! hyper's settings for HTTP/1.1, of which both servers get the same.

use hyper::server::conn::http1::Builder;

/// A boolean of hyper's builder.
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) default: bool,
    set: fn(&mut Builder, bool) -> &mut Builder,
}

const fn flag(name: &'static str, default: bool, set: fn(&mut Builder, bool) -> &mut Builder) -> Flag {
    Flag { name, default, set }
}

/// Every boolean of hyper's builder.
pub(crate) const FLAGS: [Flag; 9] = [
    flag("half_close", false, Builder::half_close),
    flag("keep_alive", true, Builder::keep_alive),
    flag("title_case_headers", false, Builder::title_case_headers),
    flag(
        "allow_multiple_spaces_in_request_line_delimiters",
        false,
        Builder::allow_multiple_spaces_in_request_line_delimiters,
    ),
    flag("ignore_invalid_headers", false, Builder::ignore_invalid_headers),
    flag("preserve_header_case", false, Builder::preserve_header_case),
    flag("writev", true, Builder::writev),
    flag("pipeline_flush", false, Builder::pipeline_flush),
    flag("auto_date_header", true, Builder::auto_date_header),
];

/// Which flags differ from their default, as bits, in the order of [`FLAGS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Settings(pub(crate) u16);

impl Settings {
    /// The defaults, but for one flag.
    pub(crate) fn toggling(index: usize) -> Self {
        Self(1 << index)
    }

    /// The defaults, with this flag on.
    pub(crate) fn with(name: &str) -> Self {
        Self::toggling(FLAGS.iter().position(|flag| flag.name == name && !flag.default).unwrap())
    }

    /// Sets the flags that differ. The others keep hyper's defaults.
    pub(crate) fn apply(self, http1: &mut Builder) {
        for (index, flag) in FLAGS.iter().enumerate() {
            if self.0 & 1 << index != 0 {
                (flag.set)(http1, !flag.default);
            }
        }
    }
}
