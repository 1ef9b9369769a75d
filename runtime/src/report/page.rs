//! Text for people within limits: escaped control characters, shortened lines, a page of a fixed size.

/// The text with control characters escaped, except for newlines and tabs: the text of an error may come from a client,
/// and a terminal acts on escape sequences.
pub(crate) fn escaped(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => clean.push(c),
            c if c.is_control() => clean.extend(c.escape_default()),
            c => clean.push(c),
        }
    }
    clean
}

/// Lines within a limit of bytes.
pub(crate) struct Page {
    text: String,
    limit: usize,
}

impl Page {
    pub(crate) fn new(limit: usize) -> Self {
        Self { text: String::new(), limit }
    }

    /// Appends a line, shortened to `longest` bytes. A line that does not fit ends the page.
    pub(crate) fn add(&mut self, line: &str, longest: usize) {
        let line = shortened(line, longest);
        if line.len() < self.room() {
            self.text += &line;
            self.text.push('\n');
        } else {
            self.limit = self.text.len();
        }
    }

    /// The bytes that are left.
    pub(crate) fn room(&self) -> usize {
        self.limit - self.text.len()
    }

    pub(crate) fn text(self) -> String {
        self.text
    }
}

fn shortened(line: &str, longest: usize) -> String {
    const MARK: &str = " […]";
    if line.len() <= longest {
        return line.to_owned();
    }
    format!("{}{MARK}", &line[..line.floor_char_boundary(longest.saturating_sub(MARK.len()))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_newlines_stay() {
        assert_eq!(escaped("a\u{1b}[2Jb\0\r\nc\td\u{9b}é"), "a\\u{1b}[2Jb\\u{0}\\r\nc\td\\u{9b}é");
    }

    #[test]
    fn a_page_has_whole_lines_only_and_never_exceeds_its_limit() {
        let line = "é".repeat(20);
        for limit in 0..100 {
            let mut page = Page::new(limit);
            (0..5).for_each(|_| page.add(&line, 21));
            let text = page.text();
            assert!(text.len() <= limit && (text.is_empty() || text.ends_with(" […]\n")), "{text}");
            assert_eq!(text.len(), limit / 21 * 21, "each line has 7 letters, the mark and a newline");
        }
    }

    #[test]
    fn nothing_follows_a_line_that_does_not_fit() {
        let mut page = Page::new(10);
        page.add("first", 100);
        page.add("a long second line", 100);
        page.add("x", 100);
        assert_eq!(page.text(), "first\n");
    }
}
