//! `cargo xtask tidy`: rules of the source tree that no compiler checks. Each rule reports every place, so that one run
//! is enough.

mod circles;
mod code;
mod copies;
mod crate_dependencies;
mod dependencies;
mod files;
mod links;
mod log_fields;
mod logs;
mod old_names;
mod restricted_uses;
mod rules;
mod tree;
mod words;

use crate::failure::{Failure, Result};
use crate::metadata::Workspace;
use crate::programs::root;
use tree::Tree;

pub(crate) fn run() -> Result {
    let workspace = Workspace::read()?;
    let tree = Tree::read(root())?;
    let mut problems = files::problems(&tree);
    problems.extend(files::crates_without_docs(&tree, &workspace));
    problems.extend(copies::problems(&tree));
    problems.extend(links::problems(&tree));
    problems.extend(restricted_uses::problems(&tree));
    problems.extend(logs::problems(&tree));
    problems.extend(log_fields::problems(&tree));
    problems.extend(crate_dependencies::problems(&tree, &workspace));
    problems.extend(dependencies::problems(&tree));
    problems.extend(rules::problems(&tree));
    problems.extend(words::problems(&tree));
    problems.extend(old_names::problems(&tree));
    problems.extend(circles::problems(&tree));
    if problems.is_empty() {
        println!("{} files are tidy", tree.len());
        return Ok(());
    }
    Err(Failure::new(problems.join("\n")))
}
