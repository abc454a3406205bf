//! Programs that the steps need beside cargo: looked for first, installed on Debian if missing, listed elsewhere.

use super::{pgbouncer, postgres};
use crate::failure::Result;
use crate::programs::{on_path, run, succeeds};
use rustix::process::geteuid;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) struct Need {
    name: &'static str,
    present: fn() -> bool,
    /// Debian's packages that have it.
    packages: &'static [&'static str],
}

pub(super) static POSTGRES: Need =
    Need { name: "PostgreSQL", present: || postgres::binaries().is_some(), packages: &["postgresql"] };

pub(super) static PGBOUNCER: Need =
    Need { name: "PgBouncer", present: || pgbouncer::program().is_some(), packages: &["pgbouncer"] };

pub(super) static CHROMIUM: Need = Need {
    name: "Chromium, and its headless shell where Debian has it",
    present: || chromium().is_some() && (headless_shell().is_some() || !is_debian()),
    packages: &["chromium", "chromium-headless-shell"],
};

/// Without fonts, pages are measured and pictured with empty boxes.
pub(super) static FONTS: Need =
    Need { name: "fonts", present: fonts, packages: &["fonts-dejavu-core", "fonts-liberation"] };

pub(super) static NODE: Need =
    Need { name: "Node.js 18 or newer, and npm", present: node, packages: &["nodejs", "npm"] };

pub(super) static PYTHON: Need = Need {
    name: "Python 3.10 or newer, with venv",
    present: || python().is_some(),
    packages: &["python3", "python3-venv"],
};

pub(super) static APACHE: Need = Need {
    name: "Apache with mod_auth_openidc, where Debian has them",
    present: || APACHE_FILES.iter().all(|file| Path::new(file).is_file()),
    packages: &["apache2-bin", "libapache2-mod-auth-openidc"],
};

pub(super) static NGINX: Need =
    Need { name: "nginx", present: || Path::new("/usr/sbin/nginx").is_file(), packages: &["nginx"] };

pub(super) static DOVECOT: Need = Need {
    name: "dovecot",
    present: || Path::new("/usr/sbin/dovecot").is_file(),
    packages: &["dovecot-imapd"],
};

pub(super) static JAVA: Need = Need {
    name: "a JDK 17 or newer, and Maven",
    present: || version("javac", "-version") >= Some(OLDEST_JAVA) && on_path("mvn").is_some(),
    packages: &["default-jdk-headless", "maven"],
};

/// From this version on it downloads a newer one by itself if the modules require that.
pub(super) static GO: Need = Need {
    name: "Go 1.21 or newer",
    present: || version("go", "version") >= Some(OLDEST_GO),
    packages: &["golang-go"],
};

pub(super) static MAIL_SERVER: Need = Need {
    name: "a Python with aiosmtpd, openssl, ip and unshare",
    present: || {
        let programs = ["openssl", "ip", "unshare"];
        mail_server().is_some() && programs.iter().all(|name| on_path(name).is_some())
    },
    packages: &["python3-aiosmtpd", "openssl", "iproute2", "util-linux"],
};

/// The step mounts a file system that no other process sees.
pub(super) static TORTURE: Need = Need {
    name: "sqlite3, unshare, mount and libfaketime, and to run as root",
    present: || {
        let programs = ["sqlite3", "unshare", "mount"];
        geteuid().is_root() && programs.iter().all(|name| on_path(name).is_some()) && faketime().is_some()
    },
    packages: &["sqlite3", "util-linux", "mount", "libfaketime"],
};

const CHROMIUM_NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];
const MAC_CHROME: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
const OLDEST_NODE: (u32, u32) = (18, 0);
const OLDEST_JAVA: (u32, u32) = (17, 0);
const OLDEST_GO: (u32, u32) = (1, 21);
/// A virtual environment needs both modules; `requirements.txt` requires this version.
const PYTHON_WITH_VENV: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
const APACHE_FILES: &[&str] = &["/usr/sbin/apache2", "/usr/lib/apache2/modules/mod_auth_openidc.so"];

impl Need {
    pub(super) fn met(&self) -> bool {
        (self.present)()
    }

    pub(super) fn advice(&self) -> String {
        format!("needs {}; Debian's packages for it: {}", self.name, self.packages.join(" "))
    }
}

/// Installs what is missing, if possible. Anything still missing afterwards fails only the steps that need it.
pub(super) fn provide<'a>(needs: impl Iterator<Item = &'a Need>) {
    let missing: Vec<&Need> = needs.filter(|need| !need.met()).collect();
    if missing.is_empty() {
        return;
    }
    if !is_debian() {
        println!("This is not Debian, so nothing is installed; these must be:");
        for need in missing {
            println!("  {}", need.advice());
        }
        return;
    }
    for need in &missing {
        println!("Installing {} ({})", need.name, need.packages.join(" "));
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    if let Err(failure) = install(&packages) {
        println!("{failure}");
    }
}

/// Even if the package index could not be refreshed completely, it may have the packages.
fn install(packages: &[&str]) -> Result {
    if let Err(failure) = run(apt_get().arg("update")) {
        println!("{failure}");
    }
    run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages))
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists()
}

fn apt_get() -> Command {
    let mut command = Command::new("env");
    if !geteuid().is_root() {
        command = Command::new("sudo");
        command.arg("env");
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]);
    command
}

pub(super) fn chromium() -> Option<PathBuf> {
    let mac = Path::new(MAC_CHROME);
    CHROMIUM_NAMES.iter().find_map(|name| on_path(name)).or_else(|| mac.exists().then(|| mac.to_owned()))
}

/// The same engine without a user interface: a page takes half the processor time.
pub(super) fn headless_shell() -> Option<PathBuf> {
    on_path("chromium-headless-shell")
}

/// The library that gives a program another time.
pub(super) fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.is_file())
}

/// The Python that has aiosmtpd.
pub(super) fn mail_server() -> Option<PathBuf> {
    python_that_runs("import aiosmtpd")
}

/// The Python that makes virtual environments.
pub(super) fn python() -> Option<PathBuf> {
    python_that_runs(PYTHON_WITH_VENV)
}

/// Prefers Debian's Python, which has its packages, to another on the search path.
fn python_that_runs(program: &str) -> Option<PathBuf> {
    let candidates = [Some(PathBuf::from("/usr/bin/python3")), on_path("python3")];
    let does = |python: &PathBuf| succeeds(Command::new(python).args(["-c", program]));
    candidates.into_iter().flatten().find(does)
}

fn fonts() -> bool {
    !cfg!(target_os = "linux") || Path::new("/usr/share/fonts/truetype").exists()
}

fn node() -> bool {
    version("node", "--version") >= Some(OLDEST_NODE) && succeeds(Command::new("npm").arg("--version"))
}

/// The first two numbers of the program's version.
fn version(program: &str, argument: &str) -> Option<(u32, u32)> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut numbers =
        said.split(|letter: char| !letter.is_ascii_digit()).filter_map(|word| word.parse().ok());
    Some((numbers.next()?, numbers.next().unwrap_or(0)))
}
