//! The options of the command line.

use super::steps::{STEPS, Step};
use crate::failure::{Failure, Result};

#[derive(Debug, Default, PartialEq)]
pub(super) struct Options {
    pub list: bool,
    only: Vec<&'static str>,
    skip: Vec<&'static str>,
}

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => options.list = true,
                "--only" => options.only.push(step(arguments.next())?),
                "--skip" => options.skip.push(step(arguments.next())?),
                other => {
                    let known = "--only STEP, --skip STEP, --list";
                    return Err(Failure::new(format!("there is no option {other}; the options are {known}")));
                }
            }
        }
        Ok(options)
    }

    pub(super) fn chooses(&self, step: &Step) -> bool {
        (self.only.is_empty() || self.only.contains(&step.name)) && !self.skip.contains(&step.name)
    }
}

fn step(name: Option<&String>) -> Result<&'static str> {
    let found = STEPS.iter().map(|step| step.name).find(|known| name.is_some_and(|name| name == known));
    found.ok_or_else(|| {
        let asked = name.map_or("", String::as_str);
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        Failure::new(format!("there is no step `{asked}`; the steps are {}", known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(arguments: &[&str]) -> Vec<&'static str> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let options = Options::parse(&arguments).unwrap();
        STEPS.iter().filter(|step| options.chooses(step)).map(|step| step.name).collect()
    }

    #[test]
    fn all_steps_unless_told_otherwise() {
        assert_eq!(chosen(&[]).len(), STEPS.len());
        assert_eq!(chosen(&["--only", "tidy"]), ["tidy"]);
        assert_eq!(chosen(&["--only", "tidy", "--only", "format"]), ["format", "tidy"]);
        assert_eq!(chosen(&["--only", "tidy", "--skip", "tidy"]), [""; 0]);
        assert!(!chosen(&["--skip", "journeys"]).contains(&"journeys"));
    }

    #[test]
    fn a_slip_is_not_passed_over() {
        for slip in [&["--only"][..], &["--only", "tydi"], &["--onyl", "tidy"], &["tidy"]] {
            let arguments: Vec<String> = slip.iter().map(ToString::to_string).collect();
            assert!(Options::parse(&arguments).is_err(), "{slip:?}");
        }
    }
}
