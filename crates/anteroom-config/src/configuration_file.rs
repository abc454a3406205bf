//! A configuration that is watched: asked again and again, it says when a new one is ready to be taken up.

use std::path::PathBuf;

use crate::configuration::Configuration;
use crate::diagnostics::Diagnostics;
use crate::inputs::InputFiles;
use crate::reader::Env;

/// The main file, and what the last configuration was made from: included files, folders and secrets as well.
pub struct ConfigurationFile {
    path: PathBuf,
    taken: InputFiles,
    /// What was there at the last look.
    seen: InputFiles,
}

impl ConfigurationFile {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), taken: InputFiles::default(), seen: InputFiles::default() }
    }

    pub fn load(&mut self, env: Env<'_>) -> Result<Configuration, Diagnostics> {
        let (result, inputs) = Configuration::load_tracked(&self.path, env);
        self.seen.clone_from(&inputs);
        self.taken = inputs;
        result
    }

    /// Loads again if anything has changed since [`Self::load`] and has then stayed as it is for one look: someone may
    /// be writing. What is wrong is said once, not at every look. Call it each second, where blocking is allowed.
    pub fn poll(&mut self, env: Env<'_>) -> Option<Result<Configuration, Diagnostics>> {
        let now = self.seen.refresh();
        let settled = now == self.seen;
        let changed = now != self.taken;
        self.seen = now;
        (settled && changed).then(|| self.load(env))
    }
}
