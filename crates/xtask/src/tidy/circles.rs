//! Modules of a crate use each other in one direction: two that use each other can only be read, tested and changed
//! together. A module and its parents are not counted, and neither are tests. A name that a parent exports counts as one of the
//! module that it comes from, and what is reached through a module that was imported as one of that module's parts.

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

/// The folder of each crate, with its modules and their texts. The crate's root is the module without a name.
fn crates(tree: &Tree) -> BTreeMap<&str, Vec<(Module, &str)>> {
    let mut crates: BTreeMap<&str, Vec<(Module, &str)>> = BTreeMap::new();
    for (path, text) in tree.ending(&[".rs"]) {
        let Some((root, file)) = path.split_once("/src/") else { continue };
        let mut module: Module = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        module.pop_if(|last| last == "mod");
        module.pop_if(|last| matches!(last.as_str(), "lib" | "main"));
        let is_test = module.iter().any(|name| name == "tests" || name.ends_with("_tests"));
        if !is_test {
            crates.entry(root).or_default().push((module, text));
        }
    }
    crates
}

fn uses(files: &[(Module, &str)]) -> Uses {
    let modules: BTreeSet<Module> = files.iter().map(|(module, _)| module.clone()).collect();
    let codes: Vec<(&Module, String)> =
        files.iter().map(|(module, text)| (module, without_tests(&code(text)))).collect();
    let exports: BTreeMap<Module, Module> =
        codes.iter().flat_map(|(module, code)| exports(module, code, &modules)).collect();
    let used_by = |(module, code): &(&Module, String)| {
        let mut named = paths(code, module);
        let imported: Vec<Module> = named.iter().filter(|path| modules.contains(*path)).cloned().collect();
        named.extend(imported.iter().flat_map(|import| parts_of(import, code)));
        let used = named.iter().filter_map(|path| module_of(path, &modules, &exports));
        let used = used.filter(|other| !module.starts_with(other) && !other.starts_with(module));
        ((*module).clone(), used.collect())
    };
    codes.iter().map(used_by).collect()
}

/// What a module exports of those in it (`pub use part::Name`), by the path under which others see it.
fn exports(module: &Module, code: &str, modules: &BTreeSet<Module>) -> Vec<(Module, Module)> {
    let mut exports = Vec::new();
    for start in ["pub use ", "pub(crate) use ", "pub(super) use "] {
        for (at, _) in code.match_indices(start) {
            let rest = code.get(at + start.len()..).unwrap_or_default();
            let rest = rest.strip_prefix("self::").unwrap_or(rest);
            let mut paths = Vec::new();
            branches(module, rest, &mut paths);
            let within = paths.into_iter().filter(|path| {
                path.get(..=module.len()).is_some_and(|part| modules.contains(&part.to_vec()))
            });
            exports.extend(within.filter_map(|path| {
                let name = path.last()?.clone();
                Some(([&module[..], &[name]].concat(), path))
            }));
        }
    }
    exports
}

/// Paths that begin with the name of a module that was imported: `rules::scope::check` after `use super::rules`.
fn parts_of(import: &Module, code: &str) -> Vec<Module> {
    let Some(start) = import.last().map(|name| format!("{name}::")) else { return Vec::new() };
    let mut parts = Vec::new();
    for (at, _) in code.match_indices(&start) {
        let before = code.get(..at).and_then(|before| before.chars().next_back());
        if !before.is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ':')) {
            branches(import, code.get(at + start.len()..).unwrap_or_default(), &mut parts);
        }
    }
    parts
}

/// The module that a path leads to, through what others export. A module goes before a function of its name.
fn module_of(
    path: &Module,
    modules: &BTreeSet<Module>,
    exports: &BTreeMap<Module, Module>,
) -> Option<Module> {
    let parts = || (1..=path.len()).rev().filter_map(|length| path.get(..length)).map(<[String]>::to_vec);
    let module = parts().find(|part| modules.contains(part));
    let export = parts().find_map(|part| exports.get(&part).map(|origin| (part.len(), origin)));
    match export {
        Some((length, origin)) if origin != path && length > module.as_ref().map_or(0, Vec::len) => {
            module_of(origin, modules, exports)
        }
        _ => module,
    }
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
    fn what_a_parent_exports_is_of_the_module_that_it_comes_from() {
        let of_root = [
            ("x/src/lib.rs", "mod a;\nmod b;\npub use a::A;\npub use b::{B, C};\n"),
            ("x/src/a.rs", "use crate::B;"),
            ("x/src/b.rs", "use crate::a;"),
        ];
        assert_eq!(found(&of_root), ["x: these modules use each other: a, b"]);
        let through_a_module = [
            ("x/src/lib.rs", ""),
            ("x/src/order.rs", "use super::{rules};\nfn f() { rules::scope::check() }"),
            ("x/src/rules/mod.rs", "pub mod scope;"),
            ("x/src/rules/scope.rs", "use crate::order::Context;"),
        ];
        assert_eq!(found(&through_a_module), ["x: these modules use each other: order, rules/scope"]);
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
