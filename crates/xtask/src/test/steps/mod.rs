//! The steps, the fastest first.

mod cargo_steps;
mod interop;
mod journeys;
mod licences;
mod mail;
mod product;
mod torture;

use super::needs::{self, Need};
use crate::failure::Result;
use crate::tidy;

pub(super) struct Step {
    pub name: &'static str,
    pub about: &'static str,
    /// Its budget in seconds, on two cores and with an empty target folder; all budgets together are 25 minutes. The
    /// summary lists steps that took longer; they do not fail, since machines differ.
    pub budget: u64,
    pub needs: &'static [&'static Need],
    pub run: fn() -> Result,
}

pub(super) const STEPS: &[Step] = &[
    Step {
        name: "format",
        about: "rustfmt has nothing to change",
        budget: 5,
        needs: &[],
        run: cargo_steps::format,
    },
    Step {
        name: "tidy",
        about: "the source tree keeps its own rules",
        budget: 10,
        needs: &[],
        run: tidy::run,
    },
    Step {
        name: "lints",
        about: "everything compiles, tests included, and clippy has nothing to say",
        budget: 340,
        needs: &[],
        run: cargo_steps::lints,
    },
    Step {
        name: "licences",
        about: "licences, bans and sources of all dependencies, by cargo-deny",
        budget: 5,
        needs: &[],
        run: licences::check,
    },
    Step {
        name: "sqlite",
        about: "all tests, those of storage on SQLite",
        budget: 200,
        needs: &[],
        run: cargo_steps::tests_on_sqlite,
    },
    Step {
        name: "postgres",
        about: "those of storage again, on a PostgreSQL of our own, and through a PgBouncer",
        budget: 310,
        needs: &[&needs::POSTGRES, &needs::PGBOUNCER],
        run: cargo_steps::tests_on_postgres,
    },
    Step {
        name: "mail",
        about: "emails through a real mail server that refuses, delays and hangs up",
        budget: 20,
        needs: &[&needs::MAIL_SERVER],
        run: mail::send,
    },
    Step {
        name: "torture",
        about: "a database that fails in every way, as root on a small file system of its own",
        budget: 70,
        needs: &[&needs::TORTURE, &needs::POSTGRES],
        run: torture::fail_the_database,
    },
    Step {
        name: "journeys",
        about: "people's journeys through the demo, in headless Chromium",
        budget: 340,
        needs: &[&needs::NODE, &needs::CHROMIUM, &needs::FONTS],
        run: journeys::walk,
    },
    Step {
        name: "interop",
        about: "other people's OpenID Connect clients, on SQLite and on PostgreSQL",
        budget: 60,
        needs: &[
            &needs::POSTGRES,
            &needs::NODE,
            &needs::CHROMIUM,
            &needs::FONTS,
            &needs::PYTHON,
            &needs::APACHE,
            &needs::NGINX,
            &needs::DOVECOT,
            &needs::JAVA,
            &needs::GO,
        ],
        run: interop::sign_in,
    },
];
