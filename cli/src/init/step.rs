//! The steps of a conversion, and their edits.

use std::ops::Range;

/// One step.
#[derive(Debug)]
pub(crate) struct Step {
    /// `FILE:LINE`.
    pub(crate) place: String,
    pub(crate) title: String,
    pub(crate) why: String,
    pub(crate) action: Action,
}

/// What the step takes.
#[derive(Debug)]
pub(crate) enum Action {
    /// Edits that keep the program's meaning, apart from its shutdown.
    Mechanical(Vec<Edit>),
    /// What to do instead.
    ByHand(String),
}

/// A replacement of a part of a file.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    /// The number of the file.
    pub(crate) file: usize,
    pub(crate) range: Range<usize>,
    pub(crate) text: String,
}

impl Step {
    /// The edits of a mechanical step.
    pub(crate) fn edits(&self) -> &[Edit] {
        match &self.action {
            Action::Mechanical(edits) => edits,
            Action::ByHand(_) => &[],
        }
    }
}

impl Edit {
    pub(crate) fn new(file: usize, range: Range<usize>, text: impl Into<String>) -> Self {
        Self { file, range, text: text.into() }
    }
}

/// The text of the file with these edits, which do not overlap.
pub(crate) fn apply<'a>(text: &str, file: usize, edits: impl IntoIterator<Item = &'a Edit>) -> String {
    let mut edits: Vec<_> = edits.into_iter().filter(|edit| edit.file == file).collect();
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let (mut result, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        debug_assert!(edit.range.start >= at, "overlapping edits at {at}: {edit:?}");
        result += &text[at..edit.range.start];
        result += &edit.text;
        at = edit.range.end;
    }
    result + &text[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_of_one_file_are_applied_in_the_order_of_their_places() {
        let edits =
            [Edit::new(0, 4..5, "E"), Edit::new(1, 0..1, "no"), Edit::new(0, 0..1, ""), Edit::new(0, 5..5, "!")];
        assert_eq!(apply("abcdef", 0, &edits), "bcdE!f");
    }
}
