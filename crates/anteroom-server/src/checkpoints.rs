//! The checkpoints file: signed checkpoints of the audit trail outside the database, so that an attacker who can change
//! the database cannot do so unnoticed. One JSON object a line, only ever appended to; copy it off the host.

use anteroom_config::Settings;
use anteroom_domain::audit_trail::chain::Checkpoint;
use anteroom_domain::audit_trail::lines::ExportLine;
use anteroom_domain::audit_trail::verify::AuditFinding;
use secrecy::ExposeSecret as _;
use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The configured file, else the one beside the SQLite database. With PostgreSQL there is no default: then only the log
/// has the checkpoints.
pub fn file(settings: &Settings) -> Option<PathBuf> {
    if let Some(file) = &settings.audit.checkpoints_file {
        return Some(file.clone());
    }
    let path = settings.database.url.expose_secret().strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    Some(Path::new(path).with_extension("checkpoints.jsonl"))
}

/// Appends a line. If a crash has cut off the last line, the new one begins on a line of its own.
pub fn append(path: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let mut text = if ends_a_line(&mut file)? { String::new() } else { "\n".to_owned() };
    text += &ExportLine::Checkpoint(checkpoint.clone()).write()?;
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Another node may have signed the checkpoint. Number and time are both compared: after an operator accepted a
/// database that went back, the file has higher numbers that are void.
pub fn append_newer(path: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
    let known = match last(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        known => known?,
    };
    let is_newer = |known: &Checkpoint| checkpoint.link.seq > known.link.seq || checkpoint.at > known.at;
    if known.as_ref().is_none_or(is_newer) { append(path, checkpoint) } else { Ok(()) }
}

fn ends_a_line(file: &mut std::fs::File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// How many bytes at the end of a file are searched for the last checkpoint: some hundreds of lines.
const TAIL: u64 = 64 * 1024;

/// The last readable checkpoint in a file; `None` if the file is empty. A file with other content only is an error,
/// because it may be evidence that the database went back.
pub fn last(path: &Path) -> io::Result<Option<Checkpoint>> {
    let mut file = std::fs::File::open(path)?;
    let begins = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(begins))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let read = |line: &[u8]| match std::str::from_utf8(line).ok().and_then(ExportLine::read) {
        Some(ExportLine::Checkpoint(checkpoint)) => Some(checkpoint),
        _ => None,
    };
    let last = tail.rsplit(|byte| *byte == b'\n').find_map(read);
    let is_empty = tail.iter().all(u8::is_ascii_whitespace);
    match last {
        None if !is_empty => Err(io::Error::new(io::ErrorKind::InvalidData, "it has no readable checkpoint")),
        last => Ok(last),
    }
}

/// The checkpoints of a file, and the problems in it.
pub fn read(path: &Path) -> io::Result<(Vec<Checkpoint>, Vec<AuditFinding>)> {
    let (mut checkpoints, mut findings) = (Vec::new(), Vec::new());
    let text = std::fs::read(path)?;
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        match std::str::from_utf8(line).ok().and_then(ExportLine::read) {
            Some(ExportLine::Checkpoint(checkpoint)) => checkpoints.push(checkpoint),
            _ if line.is_empty() => {}
            _ => findings.push(AuditFinding::Line { file: "checkpoints file", line: number }),
        }
    }
    Ok((checkpoints, findings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_crypto::{KeyPurpose, Keyring, MasterKey, Random};
    use anteroom_domain::audit_trail::chain::ChainLink;
    use jiff::Timestamp;

    fn checkpoint(seq: u64) -> Checkpoint {
        let random = Random::seeded(1);
        let master = MasterKey::generate(&random);
        let sealed = Keyring::generate_missing(&master, &[], &random, 0);
        let signer = Keyring::open(&master, &sealed).unwrap().signer(KeyPurpose::AuditMac).unwrap();
        let link = ChainLink { seq, ..ChainLink::beginning() };
        Checkpoint::sign(link, Timestamp::UNIX_EPOCH, &signer).unwrap()
    }

    #[test]
    fn lines_are_added_also_behind_one_that_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.jsonl");
        append(&path, &checkpoint(1)).unwrap();
        append(&path, &checkpoint(2)).unwrap();
        assert_eq!(read(&path).unwrap(), (vec![checkpoint(1), checkpoint(2)], vec![]));

        let text = std::fs::read(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 10]).unwrap();
        append(&path, &checkpoint(3)).unwrap();
        let cut = AuditFinding::Line { file: "checkpoints file", line: 2 };
        assert_eq!(read(&path).unwrap(), (vec![checkpoint(1), checkpoint(3)], vec![cut]));
    }

    #[test]
    fn what_another_node_signed_is_added_where_it_is_newer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.jsonl");
        for seq in [2, 2, 1, 3] {
            append_newer(&path, &checkpoint(seq)).unwrap();
        }
        let accepted = Checkpoint { at: Timestamp::from_second(60).unwrap(), ..checkpoint(1) };
        append_newer(&path, &accepted).unwrap();
        assert_eq!(read(&path).unwrap(), (vec![checkpoint(2), checkpoint(3), accepted], vec![]));
    }
}
