//! Modules of a crate use each other in one direction: two that use each other can only be read, tested and changed
//! together. A module and its parents are not counted, and neither are tests.

use std::collections::{BTreeMap, BTreeSet};

use super::code::code;
use super::tree::Tree;

/// The names of a module and of those that it is in.
type Module = Vec<String>;
/// The modules that each module uses.
type Uses = BTreeMap<Module, BTreeSet<Module>>;

pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (root, files) in crates(tree) {
        let circles = circles(&uses(&files)).into_iter();
        problems.extend(
            circles.map(|circle| format!("{root}: these modules use each other: {}", circle.join(", "))),
        );
    }
    problems
}

/// The folder of each crate, with its modules and their texts.
fn crates(tree: &Tree) -> BTreeMap<&str, Vec<(Module, &str)>> {
    let mut crates: BTreeMap<&str, Vec<(Module, &str)>> = BTreeMap::new();
    for (path, text) in tree.ending(&[".rs"]) {
        let Some((root, file)) = path.split_once("/src/") else { continue };
        let mut module: Module = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        module.pop_if(|last| last == "mod");
        let is_root = matches!(&module[..], [only] if only == "lib" || only == "main");
        let is_test = module.iter().any(|name| name == "tests" || name.ends_with("_tests"));
        if !is_root && !is_test {
            crates.entry(root).or_default().push((module, text));
        }
    }
    crates
}

fn uses(files: &[(Module, &str)]) -> Uses {
    let modules: BTreeSet<&Module> = files.iter().map(|(module, _)| module).collect();
    let used_by = |(module, text): &(Module, &str)| {
        let paths = paths(&without_tests(&code(text)), module);
        let used = paths.into_iter().filter_map(|path| {
            let known =
                |length: &usize| path.get(..*length).is_some_and(|part| modules.contains(&part.to_vec()));
            let length = (1..=path.len()).rev().find(known)?;
            path.get(..length).map(<[String]>::to_vec)
        });
        let used = used.filter(|other| !module.starts_with(other) && !other.starts_with(module));
        (module.clone(), used.collect())
    };
    files.iter().map(used_by).collect()
}

/// Test modules are at the end of a file.
fn without_tests(code: &str) -> String {
    let end = code.match_indices("#[cfg(test)]\nmod ").find(|(start, found)| {
        code.get(start + found.len()..)
            .and_then(|rest| rest.lines().next())
            .is_some_and(|line| line.ends_with('{'))
    });
    code.get(..end.map_or(code.len(), |(start, _)| start)).unwrap_or_default().to_owned()
}

/// Every path in the crate that the code of `module` names, starting at the crate's root.
fn paths(code: &str, module: &Module) -> Vec<Module> {
    let mut paths = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = code.get(..at).and_then(|before| before.chars().next_back());
            if before.is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ':' | '$')) {
                continue;
            }
            let mut rest = code.get(at + start.len()..).unwrap_or_default();
            let mut base = Vec::new();
            if start == "super::" {
                base = module.split_last().map(|(_, parents)| parents.to_vec()).unwrap_or_default();
                while let Some(further) = rest.strip_prefix("super::") {
                    base.pop();
                    rest = further;
                }
            }
            branches(&base, rest, &mut paths);
        }
    }
    paths
}

/// Reads one path, or a group of paths in braces, and returns the rest.
fn branches<'a>(base: &Module, text: &'a str, paths: &mut Vec<Module>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = branches(base, rest, paths).trim_start();
            if let Some(after) = rest.strip_prefix("as ") {
                rest = branches(&Vec::new(), after, &mut Vec::new()).trim_start();
            }
            match rest.strip_prefix(',') {
                Some(next) if !next.trim_start().starts_with('}') => rest = next,
                Some(last) => return last.trim_start().strip_prefix('}').unwrap_or_default(),
                None => return rest.strip_prefix('}').unwrap_or_default(),
            }
        }
    }
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = if name.is_empty() { rest.strip_prefix('*').unwrap_or(rest) } else { rest };
    let path = [&base[..], &[name.to_owned()]].concat();
    match rest.strip_prefix("::").filter(|next| next.starts_with(|letter: char| letter != '<')) {
        Some(next) if !name.is_empty() => branches(&path, next, paths),
        _ => {
            paths.push(path);
            rest
        }
    }
}

/// Each set of modules that use each other, by their paths in order.
fn circles(uses: &Uses) -> BTreeSet<Vec<String>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        uses.keys().map(|module| (module, reached(uses, module))).collect();
    let reaches = |from: &Module, to: &Module| reached.get(from).is_some_and(|all| all.contains(to));
    let circle = |module: &Module| {
        let others = uses.keys().filter(|other| reaches(module, other) && reaches(other, module));
        others.map(|other| other.join("/")).collect::<Vec<_>>()
    };
    uses.keys().map(circle).filter(|circle| circle.len() > 1).collect()
}

fn reached<'a>(uses: &'a Uses, module: &Module) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut pending: Vec<&Module> = uses.get(module).into_iter().flatten().collect();
    while let Some(next) = pending.pop() {
        if reached.insert(next) {
            pending.extend(uses.get(next).into_iter().flatten());
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        problems(&Tree::of(files))
    }

    #[test]
    fn modules_that_use_each_other_are_found_however_they_say_it() {
        for (a, b) in [
            ("use crate::b::B;", "use crate::a::A;"),
            ("pub use crate::b::{self, B};", "fn b() -> crate::a::A { todo!() }"),
            ("use super::b::B;", "use crate::{c::C as D, a::A};"),
            ("use crate::{c::*, b::B};", "use super::a;"),
        ] {
            let (a, b) = (format!("{a}\n"), format!("{b}\n"));
            let files = [
                ("crates/x/src/a.rs", a.as_str()),
                ("crates/x/src/b.rs", b.as_str()),
                ("crates/x/src/c.rs", ""),
            ];
            assert_eq!(found(&files), ["crates/x: these modules use each other: a, b"], "{a}{b}");
        }
    }

    #[test]
    fn a_circle_of_three_in_folders_is_one() {
        let files = [
            ("migrations/src/a/mod.rs", "use crate::b::c::C;"),
            ("migrations/src/b/c.rs", "use crate::d;"),
            ("migrations/src/d.rs", "use crate::a::{E};"),
            ("migrations/src/b/mod.rs", "pub mod c;"),
        ];
        assert_eq!(found(&files), ["migrations: these modules use each other: a, b/c, d"]);
    }

    #[test]
    fn parents_tests_comments_and_other_crates_are_no_circle() {
        for (a, b) in [
            ("use crate::b::B;", "// use crate::a::A;"),
            ("use crate::b::B;", "const B: &str = \"crate::a\";"),
            ("use crate::b::B;", "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}"),
            ("use crate::b::B;", "use other::crate_a::a;\nuse std::fmt;"),
        ] {
            assert_eq!(found(&[("x/src/a.rs", a), ("x/src/b.rs", b)]), [""; 0], "{b}");
        }
        let of_test =
            [("x/src/a.rs", "use crate::b::B;"), ("x/src/b/tests.rs", "use crate::a;"), ("x/src/b.rs", "")];
        assert_eq!(found(&of_test), [""; 0]);
        let of_parent = [("x/src/a/mod.rs", "use crate::a::b::B;"), ("x/src/a/b.rs", "use super::A;")];
        assert_eq!(found(&of_parent), [""; 0]);
        assert_eq!(found(&[("x/src/a.rs", "use crate::b::B;"), ("y/src/b.rs", "use crate::a::A;")]), [""; 0]);
    }
}
