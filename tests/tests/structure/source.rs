//! Finds the files of a crate that a source file uses: parses enough of Rust for `use`, paths and `mod`.

/// The files among `files` that this file uses.
pub(crate) fn uses(file: &str, text: &str, files: &[&str]) -> Vec<String> {
    let tokens = without_tests(&tokens(text));
    let mut used: Vec<String> = Vec::new();
    // The enclosing inline modules with the depth of their braces.
    let (mut inline, mut depth): (Vec<usize>, usize) = (Vec::new(), 0);
    let own = module_of(file);
    for at in 0..tokens.len() {
        match tokens[at].as_str() {
            "{" => depth += 1,
            "}" => {
                inline.retain(|opened| *opened != depth);
                depth -= 1;
            }
            "mod" if is(&tokens, at + 2, "{") => inline.push(depth + 1),
            "mod" if is(&tokens, at + 2, ";") => used.push(resolve(&joined(&own, &tokens[at + 1]), files)),
            "crate" if is(&tokens, at + 1, "::") && !(at > 0 && tokens[at - 1] == "$") => {
                let found = tree(&tokens, at + 2, &[]).0;
                used.extend(found.iter().map(|path| resolve(path, files)));
            }
            "super" if is(&tokens, at + 1, "::") && !(at > 0 && tokens[at - 1] == "::") => {
                let supers = tokens[at..].chunks(2).take_while(|pair| pair[0] == "super" && is(pair, 1, "::")).count();
                // In an inline module, the first `super` is this file.
                let up = supers.saturating_sub(inline.len());
                if up > 0 {
                    let base = &own[..own.len().saturating_sub(up)];
                    let found = tree(&tokens, at + 2 * supers, base).0;
                    used.extend(found.iter().map(|path| resolve(path, files)));
                }
            }
            _ => {}
        }
    }
    used.retain(|used| used != file);
    used.sort();
    used.dedup();
    used
}

fn is(tokens: &[String], at: usize, token: &str) -> bool {
    tokens.get(at).is_some_and(|found| found == token)
}

fn joined(base: &[String], name: &str) -> Vec<String> {
    base.iter().cloned().chain([name.to_owned()]).collect()
}

/// `serve/http.rs` → serve, http; `serve/mod.rs` → serve; `lib.rs` → nothing.
fn module_of(file: &str) -> Vec<String> {
    let mut path: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(path.last().map(String::as_str), Some("mod" | "lib")) {
        path.pop();
    }
    path
}

/// The file of the longest prefix of the path that is a module; the rest names an item in it.
fn resolve(path: &[String], files: &[&str]) -> String {
    (0..=path.len())
        .rev()
        .find_map(|length| {
            let module = path[..length].join("/");
            let names = match module.is_empty() {
                true => ["lib.rs".to_owned(), "main.rs".to_owned()],
                false => [format!("{module}.rs"), format!("{module}/mod.rs")],
            };
            names.into_iter().find(|name| files.contains(&name.as_str()))
        })
        .unwrap_or_else(|| "lib.rs".to_owned())
}

/// The paths of a `use` tree or of a path at this token, and the index of the token after them.
fn tree(tokens: &[String], mut at: usize, base: &[String]) -> (Vec<Vec<String>>, usize) {
    let mut path = base.to_vec();
    loop {
        match tokens.get(at).map_or("", String::as_str) {
            "{" => {
                let mut paths = Vec::new();
                at += 1;
                while at < tokens.len() && tokens[at] != "}" {
                    let (branch, end) = tree(tokens, at, &path);
                    paths.extend(branch);
                    // The rest of a branch, such as `as name`, up to the comma.
                    at = end.max(at + 1);
                    while at < tokens.len() && !matches!(tokens[at].as_str(), "," | "}") {
                        at += 1;
                    }
                    at += usize::from(is(tokens, at, ","));
                }
                return (paths, at + 1);
            }
            "self" | "*" => return (vec![path], at + 1),
            name if name.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                path.push(name.to_owned());
                if !is(tokens, at + 1, "::") {
                    return (vec![path], at + 1);
                }
                at += 2;
            }
            _ => return (vec![path], at),
        }
    }
}

/// Removes every item under `#[cfg(test)]`, and replaces the name of a module with a `#[path]` by its file's.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let starts = |pattern: &[&str]| pattern.iter().enumerate().all(|(i, token)| is(tokens, at + i, token));
        if starts(&["#", "[", "cfg", "(", "test", ")", "]"]) {
            at = end_of_item(tokens, at + 7);
        } else if starts(&["#", "[", "path", "="]) {
            // The file name is the only string that is kept: `"low` without its closing quote and extension.
            let file = tokens[at + 4].trim_start_matches('"').trim_end_matches(".rs").to_owned();
            at += 6;
            while !is(tokens, at, ";") && at < tokens.len() {
                kept.push(if is(tokens, at + 1, ";") { file.clone() } else { tokens[at].clone() });
                at += 1;
            }
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// The index after the `;` or the closing brace of an item.
fn end_of_item(tokens: &[String], from: usize) -> usize {
    let (mut depth, mut is_use) = (0usize, false);
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.as_str() {
            "use" if depth == 0 => is_use = true,
            "{" | "(" | "[" => depth += 1,
            "}" if depth == 1 && !is_use => return at + 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Words, `::` and single characters, without comments, strings and character literals (but with the string of `path =`).
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens: Vec<String> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        match chars[at] {
            '/' if next == '/' => at = find(&chars, at, "\n"),
            '/' if next == '*' => at = end_of_comment(&chars, at),
            '"' => {
                let end = end_of_string(&chars, at + 1);
                if tokens.ends_with(&["path".to_owned(), "=".to_owned()]) {
                    tokens.push(format!("\"{}", chars[at + 1..end - 1].iter().collect::<String>()));
                }
                at = end;
            }
            'r' if (next == '"' || next == '#') && is_raw_string(&chars, at) => {
                let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
                let mark = format!("\"{}", "#".repeat(hashes));
                at = find(&chars, at + 2 + hashes, &mark) + mark.len();
            }
            // A character literal or a lifetime.
            '\'' if next == '\\' => at = find(&chars, at + 3, "'") + 1,
            '\'' if chars.get(at + 2) == Some(&'\'') => at += 3,
            ':' if next == ':' => {
                tokens.push("::".to_owned());
                at += 2;
            }
            c if c.is_alphanumeric() || c == '_' => {
                let end = at + chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
                tokens.push(chars[at..end].iter().collect());
                at = end;
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                at += 1;
            }
        }
    }
    tokens
}

fn find(chars: &[char], from: usize, mark: &str) -> usize {
    let mark: Vec<char> = mark.chars().collect();
    let from = from.min(chars.len());
    chars[from..].windows(mark.len()).position(|window| window == mark).map_or(chars.len(), |at| from + at)
}

fn is_raw_string(chars: &[char], at: usize) -> bool {
    chars[at + 1..].iter().find(|c| **c != '#') == Some(&'"')
}

fn end_of_string(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn end_of_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        let pair: String = chars[at..(at + 2).min(chars.len())].iter().collect();
        match pair.as_str() {
            "/*" => depth += 1,
            "*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    at
}
