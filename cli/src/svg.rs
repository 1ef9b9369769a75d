//! An SVG document in light and dark.

use std::fmt::Write;

/// The colors of every picture, light and dark, as CSS custom properties.
pub(crate) const COLORS: &str = "\
:root{color-scheme:light dark;--paper:#fff;--ink:#1f2328;--faint:#656d76;--line:#d0d7de;--ok:#1a7f37;--bad:#cf222e;\
--mark:#bf3989;--blue:#0969da;--pre:#8250df;--grace:#0969da;--drain:#1a7f94;--hooks:#9a6700;--left:#d8dee4;--margin:#cf222e}\
@media(prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--faint:#8d96a0;--line:#30363d;--ok:#3fb950;\
--bad:#f85149;--mark:#f778ba;--blue:#58a6ff;--pre:#a371f7;--grace:#388bfd;--drain:#2f9fb3;--hooks:#d29922;--left:#30363d;\
--margin:#f85149}}";

/// A drawing that grows downwards.
#[derive(Debug)]
pub(crate) struct Svg {
    width: f64,
    body: String,
}

impl Svg {
    pub(crate) fn new(width: f64) -> Self {
        Self { width, body: String::new() }
    }

    /// A rectangle in the color `var(--{color})`; a tooltip if the title is not empty.
    pub(crate) fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), color: &str, title: &str) {
        let title = if title.is_empty() { String::new() } else { format!("<title>{}</title>", escape(title)) };
        let _ = writeln!(
            self.body,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" style="fill:var(--{color})">{title}</rect>"#
        );
    }

    /// A vertical line.
    pub(crate) fn vertical(&mut self, x: f64, from: f64, to: f64, color: &str) {
        let _ = writeln!(self.body, r#"<path d="M{x:.1} {from:.1}V{to:.1}" style="stroke:var(--{color})"/>"#);
    }

    /// A line through points; a dot for a single one.
    pub(crate) fn line(&mut self, points: &[(f64, f64)], color: &str) {
        match points {
            [] => return,
            [(x, y)] => {
                let _ = writeln!(self.body, r#"<circle cx="{x:.1}" cy="{y:.1}" r="2" style="fill:var(--{color})"/>"#);
                return;
            }
            _ => {}
        }
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            self.body,
            r#"<polyline points="{}" style="fill:none;stroke-width:1.5;stroke:var(--{color})"/>"#,
            points.join(" ")
        );
    }

    /// A text that stays readable where it crosses a line; `anchor` is `start`, `middle` or `end`.
    pub(crate) fn label(&mut self, (x, y): (f64, f64), anchor: &str, color: &str, text: &str) {
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" style="fill:var(--{color});stroke:var(--paper);stroke-width:4;paint-order:stroke">{}</text>"#,
            escape(text)
        );
    }

    /// A text; `anchor` is `start`, `middle` or `end`.
    pub(crate) fn text(&mut self, (x, y): (f64, f64), anchor: &str, color: &str, text: &str) {
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" style="fill:var(--{color})">{}</text>"#,
            escape(text)
        );
    }

    /// The element, to be embedded in a page that defines [`COLORS`].
    pub(crate) fn element(&self, height: f64, label: &str) -> String {
        self.document(height, label, "")
    }

    /// A complete document with its own background.
    pub(crate) fn standalone(&self, height: f64, label: &str) -> String {
        self.document(height, label, &format!("<style>{COLORS}svg{{background:var(--paper)}}</style>"))
    }

    fn document(&self, height: f64, label: &str, style: &str) -> String {
        let (width, label) = (self.width, escape(label));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
             aria-label=\"{label}\" font-family=\"ui-sans-serif,system-ui,sans-serif\" font-size=\"12\">{style}\n{}</svg>\n",
            self.body
        )
    }
}

/// The text with the special characters of XML and HTML replaced, and without control characters.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars().filter(|c| !c.is_control() || *c == '\n') {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_point_is_a_dot_and_none_is_nothing() {
        let mut svg = Svg::new(10.0);
        svg.line(&[], "ok");
        svg.line(&[(1.0, 2.0)], "ok");
        svg.line(&[(1.0, 2.0), (3.0, 4.0)], "ok");
        let text = svg.element(10.0, "");
        assert_eq!((text.matches("<circle ").count(), text.matches("<polyline ").count()), (1, 1), "{text}");
    }

    /// The relative luminance of WCAG 2.
    fn luminance(color: &str) -> f64 {
        let hex = if color.len() == 3 { color.chars().flat_map(|c| [c, c]).collect() } else { color.to_owned() };
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    }

    #[test]
    fn every_color_of_words_and_of_bands_with_words_is_readable_in_light_and_dark() {
        for scheme in COLORS.split("@media") {
            let color = |name: &str| {
                let (_, rest) = scheme.split_once(&format!("--{name}:#")).unwrap();
                luminance(rest.split([';', '}']).next().unwrap())
            };
            for name in ["ink", "faint", "ok", "bad", "mark", "blue", "pre", "grace", "drain", "hooks", "margin"] {
                let (light, dark) = (color(name).max(color("paper")), color(name).min(color("paper")));
                let contrast = (light + 0.05) / (dark + 0.05);
                assert!(contrast >= 4.5, "{name} has a contrast of {contrast:.1} in {scheme}");
            }
        }
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(escape("<a b=\"c\">&\u{1b}[0m"), "&lt;a b=&quot;c&quot;&gt;&amp;[0m");
        let mut svg = Svg::new(10.0);
        svg.text((0.0, 0.0), "start", "ink", "<script>");
        assert!(!svg.standalone(10.0, "\"><script>").contains("<script>"));
    }
}
