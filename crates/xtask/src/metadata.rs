//! The workspace as cargo knows it: crates, their dependencies, and their folders.

use crate::failure::{Failure, Result};
use crate::programs::{cargo, root};
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Deserialize)]
pub(crate) struct Workspace {
    pub packages: Vec<Package>,
    pub target_directory: PathBuf,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub name: String,
    dependencies: Vec<Dependency>,
    pub targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
pub(crate) struct Target {
    pub src_path: PathBuf,
}

impl Workspace {
    pub(crate) fn read() -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(root())
            .output()
            .map_err(Failure::during("cargo metadata"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!("cargo metadata: {said}")));
        }
        serde_json::from_slice(&output.stdout).map_err(Failure::during("cargo metadata"))
    }
}

impl Package {
    /// The crates of this workspace on which this one depends. Dependencies of its tests are excluded: a test may use a
    /// crate above its own.
    pub(crate) fn arrows(&self) -> impl Iterator<Item = &str> {
        self.dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some() && dependency.kind.as_deref() != Some("dev"))
            .map(|dependency| dependency.name.as_str())
    }
}
