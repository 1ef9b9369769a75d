//! A file's text with positions, and why a file can't be read.

use std::{fmt, ops::Range, sync::Arc};

/// The largest file that is read.
pub(crate) const LARGEST: usize = 4 * 1024 * 1024;

/// A file's name and text.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) text: Arc<str>,
}

/// A position: line and column, both from 1, the column in characters; and the bytes of the text at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) bytes: Range<usize>,
}

impl Source {
    /// A text that is not too large. Byte order marks are not part of it.
    pub(crate) fn new(name: &str, text: &str) -> Result<Self, Unreadable> {
        if text.len() > LARGEST {
            return Err(Unreadable::new(
                name,
                (1, 1),
                "the file has more than 4 MiB".to_owned(),
                "pass the manifest alone, without generated data",
            ));
        }
        let text = text.trim_start_matches('\u{feff}');
        Ok(Self { name: name.into(), text: text.into() })
    }

    /// The position of a range of bytes.
    pub(crate) fn at(&self, bytes: Range<usize>) -> At {
        self.at_from((0, 1), bytes)
    }

    /// The same, for bytes behind the begin of a line, of which the first byte and the number are known.
    pub(crate) fn at_from(&self, (first, line): (usize, usize), bytes: Range<usize>) -> At {
        let before = self.text.get(first..bytes.start).unwrap_or_default();
        let start = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
        At { line: line + line_ends(before), column: before[start..].chars().count() + 1, bytes }
    }

    /// The end of a range without the white space at its end, such as the line end that belongs to a block scalar.
    pub(crate) fn trimmed_end(&self, bytes: Range<usize>) -> usize {
        bytes.start + self.text.get(bytes.clone()).map_or(bytes.len(), |text| text.trim_end().len())
    }

    /// The line of this number, without white space around it.
    pub(crate) fn line(&self, line: usize) -> &str {
        lines(&self.text).nth(line.saturating_sub(1)).unwrap_or_default().trim()
    }
}

/// The lines of a text. As in YAML, each ends with LF, with CRLF or with CR alone.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('\r'))
}

/// How many lines end in a text.
pub(crate) fn line_ends(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = |(at, byte): (usize, &u8)| *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
    bytes.iter().enumerate().filter(|found| ends(*found)).count()
}

/// A file that can't be checked. `Display` shows `file:line:column: problem; fix`.
///
/// ```
/// use graceful_deploy::Manifest;
/// let error = Manifest::parse("app.yaml", "a: [1").unwrap_err();
/// assert_eq!((error.file(), error.line()), ("app.yaml", 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    file: String,
    line: usize,
    column: usize,
    problem: String,
    fix: String,
}

impl Unreadable {
    pub(crate) fn new(
        file: &str,
        (line, column): (usize, usize),
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { file: file.to_owned(), line, column, problem: problem.into(), fix: fix.into() }
    }

    /// The file's name.
    ///
    /// ```
    /// # let error = graceful_deploy::Manifest::parse("app.yaml", "a: [1").unwrap_err();
    /// assert_eq!(error.file(), "app.yaml");
    /// ```
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, from 1.
    ///
    /// ```
    /// # let error = graceful_deploy::Manifest::parse("app.yaml", "a: [1").unwrap_err();
    /// assert_eq!(error.line(), 1);
    /// ```
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in characters, from 1.
    ///
    /// ```
    /// # let error = graceful_deploy::Manifest::parse("app.yaml", "\t- a").unwrap_err();
    /// assert!(error.column() >= 1);
    /// ```
    pub fn column(&self) -> usize {
        self.column
    }

    /// What is wrong.
    ///
    /// ```
    /// # let error = graceful_deploy::Manifest::parse("app.yaml", "a: {{ .Values.a }}").unwrap_err();
    /// assert!(error.problem().contains("Helm template"));
    /// ```
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What to do.
    ///
    /// ```
    /// # let error = graceful_deploy::Manifest::parse("app.yaml", "a: {{ .Values.a }}").unwrap_err();
    /// assert!(error.fix().contains("helm template"));
    /// ```
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, problem, fix } = self;
        write!(f, "{file}:{line}:{column}: {problem}; {fix}")
    }
}

impl std::error::Error for Unreadable {}

/// The text of a file's bytes, which must be UTF-8 and not too large.
///
/// # Errors
/// The bytes are UTF-16, not text at all, or more than 4 MiB.
///
/// ```
/// assert_eq!(graceful_deploy::decode("app.yaml", b"kind: Pod").unwrap(), "kind: Pod");
/// assert!(graceful_deploy::decode("app.yaml", b"\xff\xfek\0").is_err());
/// ```
pub fn decode<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Unreadable> {
    if bytes.len() > LARGEST {
        return Err(Unreadable::new(
            file,
            (1, 1),
            "the file has more than 4 MiB".to_owned(),
            "pass the manifest alone, without generated data",
        ));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        Unreadable::new(file, (line, column), "the file is not UTF-8 text", "save the file as UTF-8")
    })
}
