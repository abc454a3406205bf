//! A program that runs beside the tests and stops when its handle is dropped.
//!
//! It is waited for by its output, never by time: a thread reads the output line by line, and the end of the output is
//! the end of the program. On Linux the kernel also stops it if this program is killed.

use crate::failure::{Failure, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader, PipeReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long a program may take to start; long enough for busy machines.
const UP_WITHIN: Duration = Duration::from_mins(2);
/// How long it may take to stop before it is killed.
const GONE_WITHIN: Duration = Duration::from_secs(20);
/// How many of its last lines are shown if it does not start.
const OUTPUT_TAIL: usize = 20;

/// The program, its user, and how it is stopped.
pub(crate) struct Start<'a> {
    pub name: &'static str,
    pub program: &'a Path,
    pub arguments: Vec<String>,
    /// Another user to run as; requires root.
    pub user: Option<&'a str>,
    pub stop: Stop,
    /// Environment variables in addition to ours.
    pub environment: Vec<(&'static str, PathBuf)>,
}

#[derive(Clone, Copy)]
pub(crate) enum Stop {
    Terminate,
    Interrupt,
}

pub(crate) struct Service {
    name: &'static str,
    stop: Stop,
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Service {
    pub(crate) fn start(start: &Start<'_>) -> Result<Self> {
        let failed = || format!("starting {}", start.name);
        let (reader, writer) = std::io::pipe().map_err(Failure::during(failed()))?;
        let errors = writer.try_clone().map_err(Failure::during(failed()))?;
        let child = with_parent_death_signal(start)
            .args(&start.arguments)
            .envs(start.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(errors)
            .spawn()
            .map_err(Failure::during(failed()))?;
        Ok(Self { name: start.name, stop: start.stop, child, lines: read(reader), said: Vec::new() })
    }

    /// Waits for a line for which `wanted` returns a value.
    pub(crate) fn wait_for<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + UP_WITHIN;
        loop {
            let line = match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => return Err(self.not_up("is not ready")),
                Err(RecvTimeoutError::Disconnected) => return Err(self.not_up("ended before it was ready")),
            };
            let found = wanted(&line);
            self.said.push(line);
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }

    /// Whether its output so far contains `words` (in lower case), ignoring case.
    pub(crate) fn has_said(&mut self, words: &str) -> bool {
        self.said.extend(self.lines.try_iter());
        self.said.iter().any(|line| line.to_lowercase().contains(words))
    }

    fn not_up(&self, how: &str) -> Failure {
        let from = self.said.len().saturating_sub(OUTPUT_TAIL);
        let words = self.said.get(from..).unwrap_or_default().join("\n  ");
        Failure::new(format!("{} {how}; its last words:\n  {words}", self.name))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let signal = match self.stop {
                Stop::Terminate => Signal::TERM,
                Stop::Interrupt => Signal::INT,
            };
            // It may have ended meanwhile; then there is no process to stop.
            let _ = kill_process(Pid::from_child(&self.child), signal);
            let deadline = Instant::now() + GONE_WITHIN;
            while self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok() {}
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Runs the command through `setpriv` if that exists: it changes the user without an intermediate process, so that the
/// child is the program itself, and stops the program when this process ends.
fn with_parent_death_signal(start: &Start<'_>) -> Command {
    if !cfg!(target_os = "linux") {
        return Command::new(start.program);
    }
    let mut command = Command::new("setpriv");
    if let Some(user) = start.user {
        command.args(["--reuid", user, "--regid", user, "--init-groups"]);
    }
    let signal = match start.stop {
        Stop::Terminate => "TERM",
        Stop::Interrupt => "INT",
    };
    command.args(["--pdeathsig", signal, "--"]).arg(start.program);
    command
}

fn read(reader: PipeReader) -> Receiver<String> {
    let (send, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n').map_while(std::io::Result::ok) {
            if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    lines
}

/// A port that was free at the time of this call.
pub(crate) fn free_port() -> Result<u16> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Failure::during("looking for a free port"))
}
