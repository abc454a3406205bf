//! From files to settings: reads everything, checks everything, and yields either the whole or all that is wrong.

use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use toml::de::DeTable;

use crate::changes::PartDigests;
use crate::checks;
use crate::diagnostics::{ConfigFinding, Diagnostics, SourceSpan};
use crate::fingerprint::{
    ConfigurationDigest, Named, client_version, configuration_digest, configuration_parts,
};
use crate::inputs::InputFiles;
use crate::reader::{Context, Env, Secret, Section};
use crate::reference;
use crate::sections::{
    ClientDraft, ClientRules, GroupDraft, MainSections, check_access_tokens, read_clients, read_groups,
    read_main,
};
use crate::settings::{ClientSettings, Database, KeySettings, Registration, SecretOrigin, Settings};

/// A configuration without errors.
#[derive(Clone, Debug)]
pub struct Configuration {
    pub settings: Settings,
    /// For nodes to compare: they must agree in it.
    pub digest: ConfigurationDigest,
    /// A short fingerprint of each key, group and client: in what configurations with another digest differ.
    pub parts: BTreeMap<String, String>,
    /// Digests of each key, group and client, compared at the next reload.
    pub digests: PartDigests,
    /// What is unwise.
    pub warnings: Diagnostics,
}

impl Configuration {
    /// Reads `path` and what it includes.
    pub fn load(path: &Path, env: Env<'_>) -> Result<Self, Diagnostics> {
        Self::load_tracked(path, env).0
    }

    /// Reads `text` as if it stood in a file called `name`: file names in it are relative to that one's folder.
    pub fn parse_str(name: &str, text: &str, env: Env<'_>) -> Result<Self, Diagnostics> {
        let cx = Context::reading(env, true, reference::sections);
        let main = File { path: name.into(), text: text.to_owned() };
        ConfigurationRead::of(&cx, main).into_configuration(&cx)
    }

    /// Where the configuration says that the master key is stored; works before the key exists.
    pub fn master_key_origin(path: &Path) -> Result<Option<SecretOrigin>, Diagnostics> {
        let cx = Context::reading(&|_| None, false, reference::sections);
        let reading = ConfigurationRead::of_path(&cx, path);
        if cx.has_errors() {
            return Err(reading.diagnostics(&cx));
        }
        Ok(reading.contents.and_then(|contents| contents.main.keys.master_key).map(|secret| secret.origin))
    }

    /// As well as what was read on the way, so that a change can be noticed.
    pub(crate) fn load_tracked(path: &Path, env: Env<'_>) -> (Result<Self, Diagnostics>, InputFiles) {
        let cx = Context::reading(env, true, reference::sections);
        let result = ConfigurationRead::of_path(&cx, path).into_configuration(&cx);
        (result, cx.inputs.take())
    }
}

struct File {
    path: PathBuf,
    text: String,
}

/// What was read, with the files for pointing into.
struct ConfigurationRead {
    files: Vec<File>,
    /// None where the main file could not be read at all.
    contents: Option<ParsedFiles>,
}

struct ParsedFiles {
    main: MainSections,
    groups: Vec<GroupDraft>,
    clients: Vec<ClientDraft>,
    /// Whether a file was left out because it is not TOML: then what seems to be missing may stand there.
    incomplete: bool,
}

impl ConfigurationRead {
    fn of_path(cx: &Context<'_>, path: &Path) -> Self {
        match read_file(cx, path, None) {
            Some(main) => Self::of(cx, main),
            None => Self { files: vec![File { path: path.to_owned(), text: String::new() }], contents: None },
        }
    }

    fn of(cx: &Context<'_>, main_file: File) -> Self {
        let file = cx.add_file(&main_file.path);
        let Some(table) = parse(cx, file, &main_file.text) else {
            return Self { files: vec![main_file], contents: None };
        };
        let mut top = Section::top(cx, file, table);
        let main = read_main(&mut top);
        let (groups, clients) = (read_groups(&mut top), read_clients(&mut top));
        top.finish();
        let mut contents = ParsedFiles { main, groups, clients, incomplete: false };
        let mut files = vec![main_file];
        contents.include(cx, file, &mut files);
        if !contents.incomplete {
            checks::check(cx, &contents.main, &contents.groups, &contents.clients);
        }
        Self { files, contents: Some(contents) }
    }

    fn into_configuration(self, cx: &Context<'_>) -> Result<Configuration, Diagnostics> {
        let Self { files, contents } = self;
        let made = contents.and_then(|contents| contents.into_settings(cx));
        let diagnostics = diagnostics(&files, cx);
        match made {
            Some((settings, found)) if !diagnostics.has_errors() => Ok(Configuration {
                settings,
                digest: found.digest,
                parts: found.parts,
                digests: found.digests,
                warnings: diagnostics,
            }),
            _ => Err(diagnostics),
        }
    }

    fn diagnostics(&self, cx: &Context<'_>) -> Diagnostics {
        diagnostics(&self.files, cx)
    }
}

fn diagnostics(files: &[File], cx: &Context<'_>) -> Diagnostics {
    let files = files.iter().map(|file| (file.path.display().to_string(), file.text.as_str()));
    Diagnostics::new(files, cx.take_findings())
}

impl ParsedFiles {
    /// Adds what the included files hold.
    fn include(&mut self, cx: &Context<'_>, main: usize, files: &mut Vec<File>) {
        let mut known: BTreeSet<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
        for (i, pattern) in self.main.include.clone().iter().enumerate() {
            let place = cx.place(&format!("include.{i}"));
            let resolved = cx.resolve(main, pattern);
            let listed = cx.inputs.borrow_mut().list(&resolved);
            let paths = listed.unwrap_or_else(|error| {
                let finding = ConfigFinding::error(format!("cannot list {}: {error}", resolved.display()));
                cx.report(finding.at(place.clone(), "included here"));
                self.incomplete = true;
                Vec::new()
            });
            if paths.is_empty() && !self.incomplete {
                cx.report(
                    ConfigFinding::warning("an include that includes nothing")
                        .at(place.clone(), "matches no file"),
                );
            }
            for path in paths {
                if !known.insert(path.clone()) {
                    continue;
                }
                match read_file(cx, &path, place.clone()) {
                    Some(file) => {
                        self.add(cx, &file);
                        files.push(file);
                    }
                    None => self.incomplete = true,
                }
            }
        }
    }

    fn add(&mut self, cx: &Context<'_>, included: &File) {
        let file = cx.add_file(&included.path);
        let Some(table) = parse(cx, file, &included.text) else {
            self.incomplete = true;
            return;
        };
        let mut top = Section::top(cx, file, table);
        self.groups.extend(read_groups(&mut top));
        self.clients.extend(read_clients(&mut top));
        top.finish_included();
    }

    /// None where something is missing or bad, which has been reported.
    fn into_settings(self, cx: &Context<'_>) -> Option<(Settings, Fingerprints)> {
        let main = self.main;
        // If the issuer is invalid, clients are checked against a loopback issuer, whose rules are the most lenient.
        let issuer = main.issuer.clone().or_else(|| "http://localhost".parse().ok())?;
        let rules = ClientRules::new(issuer.clone(), &main.keys.signing.algorithms);
        // Every client is checked, also after one has failed.
        let checked: Vec<_> = self.clients.iter().map(|draft| rules.check(cx, draft)).collect();
        check_access_tokens(cx, &self.clients, &checked, &issuer);
        let metadata = checked.into_iter().collect::<Option<Vec<_>>>()?;
        let Secret { origin: master_key_origin, value } = main.keys.master_key?;
        let master_key = value?;
        let fingerprints = fingerprints(cx, &master_key, &self.groups, &self.clients);
        let clients = self.clients.into_iter().zip(metadata).map(|(draft, metadata)| ClientSettings {
            metadata,
            version: client_version(&cx.non_default_values_below(&draft.path)),
            policy: draft.policy,
            secrets: draft.secrets,
        });
        let settings = Settings {
            issuer: main.issuer?,
            practice: main.practice,
            server: main.server,
            database: Database { url: main.database.url?, max_connections: main.database.max_connections },
            keys: KeySettings { master_key, master_key_origin, signing: main.keys.signing },
            profile: main.profile,
            policy: main.policy,
            registration: Registration {
                policy: main.registration.policy,
                initial_access_tokens: main.registration.tokens,
            },
            hashing: main.hashing,
            outgoing: main.outgoing,
            theme: main.theme,
            audit: main.audit,
            email: main.email,
            twilio: main.twilio,
            text: main.text,
            voice: main.voice,
            dev: main.dev,
            log: main.log,
            groups: self.groups.into_iter().map(|draft| draft.group).collect(),
            clients: clients.collect(),
        };
        Some((settings, fingerprints))
    }
}

/// Fingerprints of the whole configuration and of its parts.
struct Fingerprints {
    digest: ConfigurationDigest,
    parts: BTreeMap<String, String>,
    digests: PartDigests,
}

fn fingerprints(
    cx: &Context<'_>,
    master_key: &SecretString,
    groups: &[GroupDraft],
    clients: &[ClientDraft],
) -> Fingerprints {
    let mut main = cx.non_default_values_below("");
    main.retain(|key, _| !key.starts_with("groups.") && !key.starts_with("clients."));
    let groups = groups.iter().map(|draft| Named {
        name: draft.group.name.as_str(),
        written: cx.non_default_values_below(&draft.path),
        secrets: &[],
    });
    let clients = clients.iter().map(|draft| Named {
        name: draft.client_id.as_str(),
        written: cx.non_default_values_below(&draft.path),
        secrets: &draft.secrets,
    });
    let mut groups: Vec<Named<'_>> = groups.collect();
    let mut clients: Vec<Named<'_>> = clients.collect();
    for named in [&mut groups, &mut clients] {
        named.sort_by(|a, b| a.name.cmp(b.name));
    }
    Fingerprints {
        digest: configuration_digest(master_key, &main, &groups, &clients),
        parts: configuration_parts(master_key, &main, &groups, &clients),
        digests: PartDigests::of(&main, |key| cx.contents_of(key), &groups, &clients),
    }
}

/// `included` is where the file is named; none for the main one.
fn read_file(cx: &Context<'_>, path: &Path, included: Option<SourceSpan>) -> Option<File> {
    let text = cx.inputs.borrow_mut().read(path);
    match text {
        Ok(text) => Some(File { path: path.to_owned(), text }),
        Err(error) => {
            let mut finding = ConfigFinding::error(format!("cannot read {}: {error}", path.display()));
            if included.is_none() {
                finding = finding
                    .help("`--config FILE`, or the environment variable ANTEROOM_CONFIG, names another file");
            }
            cx.report(finding.at(included, "included here"));
            None
        }
    }
}

fn parse<'t>(cx: &Context<'_>, file: usize, text: &'t str) -> Option<DeTable<'t>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = error.span().map(|span| SourceSpan::new(file, span));
        cx.report(ConfigFinding::error("this is not TOML").at(place, error.message()));
    }
    errors.is_empty().then(|| table.into_inner())
}
