//! `cargo xtask test`: runs all steps in order, even after a failure, and prints a summary.

mod clippy;
mod needs;
mod options;
mod pgbouncer;
mod postgres;
mod steps;

use crate::failure::{Failure, Result};
use options::Options;
use std::time::{Duration, Instant};
use steps::{STEPS, Step};

enum Outcome {
    Passed,
    Failed(Failure),
}

pub(crate) fn run(arguments: &[String]) -> Result {
    let options = Options::parse(arguments)?;
    if options.list {
        for step in STEPS {
            println!("{:<10} {:>4} s  {}", step.name, step.budget, step.about);
        }
        return Ok(());
    }
    let chosen: Vec<&Step> = STEPS.iter().filter(|step| options.chooses(step)).collect();
    needs::provide(chosen.iter().flat_map(|step| step.needs).copied());

    let mut results = Vec::new();
    for (number, step) in chosen.iter().enumerate() {
        println!("\n== {}/{} {}: {}", number + 1, chosen.len(), step.name, step.about);
        let begun = Instant::now();
        let outcome = attempt(step);
        let took = begun.elapsed();
        if let Outcome::Failed(failure) = &outcome {
            println!("{failure}");
        }
        println!("== {} {} after {}", step.name, verdict(&outcome), seconds(took));
        results.push((*step, outcome, took));
    }
    summarize(&results)
}

fn attempt(step: &Step) -> Outcome {
    let missing: Vec<String> =
        step.needs.iter().filter(|need| !need.met()).map(|need| need.advice()).collect();
    let outcome = if missing.is_empty() { (step.run)() } else { Err(Failure::new(missing.join("\n"))) };
    match outcome {
        Ok(()) => Outcome::Passed,
        Err(failure) => Outcome::Failed(failure),
    }
}

fn summarize(results: &[(&Step, Outcome, Duration)]) -> Result {
    println!("\n== Summary");
    for (step, outcome, took) in results {
        println!("{:<7} {:<10} {:>9} {}", verdict(outcome), step.name, seconds(*took), beyond(step, *took));
    }
    let total = results.iter().map(|(_, _, took)| *took).sum();
    println!("{:<7} {:<10} {:>9}", "", "together", seconds(total));
    let failed: Vec<&str> = results
        .iter()
        .filter(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)))
        .map(|r| r.0.name)
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::new(format!("failed: {}", failed.join(", ")))) }
}

fn beyond(step: &Step, took: Duration) -> String {
    let is_beyond = took > Duration::from_secs(step.budget);
    if is_beyond { format!("more than its {} s", step.budget) } else { String::new() }
}

fn verdict(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed(_) => "FAILED",
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
