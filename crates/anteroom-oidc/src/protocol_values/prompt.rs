//! `prompt`: OpenID Connect Core §3.1.2.1.

use std::{collections::BTreeSet, fmt, str::FromStr};

use thiserror::Error;

use crate::wire::{InvalidValue, serde_as_text, wire_enum};

wire_enum! {
    pub enum Prompt("a prompt of OpenID Connect Core §3.1.2.1") {
        None = "none",
        Login = "login",
        Consent = "consent",
        SelectAccount = "select_account",
    }
}

/// What the client wants the person asked. `none` stands alone by construction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PromptSet(BTreeSet<Prompt>);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PromptSetError {
    #[error(transparent)]
    Unknown(#[from] InvalidValue),
    #[error("prompt none cannot be combined with another")]
    NoneWithOthers,
}

impl PromptSet {
    pub fn contains(&self, prompt: Prompt) -> bool {
        self.0.contains(&prompt)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The set without `prompt`: a sign-in that has happened satisfies `login`.
    #[must_use]
    pub fn without(&self, prompt: Prompt) -> Self {
        Self(self.0.iter().copied().filter(|other| *other != prompt).collect())
    }
}

impl FromStr for PromptSet {
    type Err = PromptSetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let set = text
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::parse)
            .collect::<Result<BTreeSet<Prompt>, _>>()?;
        if set.contains(&Prompt::None) && set.len() > 1 {
            return Err(PromptSetError::NoneWithOthers);
        }
        Ok(Self(set))
    }
}

impl fmt::Display for PromptSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, prompt) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(prompt.as_str())?;
        }
        Ok(())
    }
}

serde_as_text!(PromptSet);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_3_1_2_1_prompt_none_stands_alone() {
        assert_eq!("none login".parse::<PromptSet>(), Err(PromptSetError::NoneWithOthers));
        assert!("none".parse::<PromptSet>().unwrap().contains(Prompt::None));
        let both: PromptSet = "consent login".parse().unwrap();
        assert!(both.contains(Prompt::Login) && both.contains(Prompt::Consent));
        assert_eq!(both.without(Prompt::Login).to_string(), "consent");
        assert!("create".parse::<PromptSet>().is_err());
    }
}
