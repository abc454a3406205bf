//! Emails through a real mail server; once more in a network namespace of the step's own, where the server's IPv6
//! address does not respond: packets to it are lost, which cannot be arranged on the machine's own network.

use crate::failure::{Failure, Result};
use crate::programs::run;
use crate::test::clippy;
use crate::test::needs;
use rustix::process::geteuid;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Names a Python with aiosmtpd. Without it the tests that talk to a real mail server do nothing.
const TEST_MAIL_SERVER: &str = "ANTEROOM_TEST_MAIL_SERVER";
/// Names a host whose first address does not respond. Without it the test for that does nothing.
const TEST_DEAD_IPV6: &str = "ANTEROOM_TEST_DEAD_IPV6";

const HOST: &str = "mail.practice.example";
const HOSTS: &str = "2001:db8:1::25 mail.practice.example\n127.0.0.1 mail.practice.example localhost\n";
/// A virtual cable whose other end does not respond, to a neighbor that is entered permanently.
const DEAD_NETWORK: &str = r#"
    mount --bind "$1" /etc/hosts && shift &&
    ip link set lo up &&
    ip link add dead type veth peer name end && ip link set dead up && ip link set end up &&
    ip -6 address add 2001:db8:1::1/64 dev dead nodad &&
    ip -6 neighbour add 2001:db8:1::25 lladdr 02:00:00:00:00:01 dev dead &&
    exec "$@"
"#;

pub(super) fn send() -> Result {
    let python = needs::mail_server().ok_or_else(|| Failure::new("aiosmtpd is not installed"))?;
    run(tests("mail_server").env(TEST_MAIL_SERVER, &python))?;
    with_a_dead_address(&python)
}

/// For the whole workspace: naming packages makes cargo choose other features and compile again.
fn tests(name: &str) -> Command {
    let mut tests = clippy::cargo();
    tests.args(["test", "--workspace", "--no-fail-fast", "--tests", name]);
    tests
}

fn with_a_dead_address(python: &Path) -> Result {
    let folder = tempfile::tempdir().map_err(Failure::during("making a folder for a network"))?;
    let hosts = folder.path().join("hosts");
    fs::write(&hosts, HOSTS).map_err(Failure::during("writing the names of a network"))?;
    let tests = tests("mail_server_with_a_dead_address");
    let mut command = Command::new("unshare");
    if !geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--net", "--mount", "sh", "-c", DEAD_NETWORK, "sh"]).arg(&hosts);
    command.arg(tests.get_program()).args(tests.get_args());
    run(command.envs(clippy::ENVIRONMENT).env(TEST_MAIL_SERVER, python).env(TEST_DEAD_IPV6, HOST))
}
