//! The number of text messages that each text of this practice needs: carriers bill each of them.

use anteroom_config::Settings;
use anteroom_messaging::{Branding, SampleText, sample_texts};
use anteroom_pages::{Locale, RenderError, Theme};

/// The output of `check` about texts, and its warnings.
#[derive(Debug, PartialEq, Eq)]
pub struct TextLengths {
    pub said: String,
    pub warnings: Vec<String>,
}

/// `None` if no texts are sent.
pub fn text_lengths(settings: &Settings, theme: &Theme) -> Result<Option<TextLengths>, RenderError> {
    if settings.text.is_none() {
        return Ok(None);
    }
    let branding = Branding {
        practice: settings.practice.name.clone(),
        host: settings.issuer.url().host_str().unwrap_or_default().to_owned(),
        time_zone: settings.practice.time_zone.clone(),
        default_locale: Locale::best_match(&settings.practice.default_locale, &theme.locales())
            .unwrap_or_default(),
        locales: theme.locales(),
    };
    let minutes = u16::try_from(settings.policy.codes.lifetime.as_mins()).unwrap_or(u16::MAX);
    let link = settings.issuer.endpoint("/forgot-password").to_string();
    let samples = sample_texts(theme, &branding, minutes, &link)?;
    let lengths: Vec<String> = samples.iter().map(length).collect();
    Ok(Some(TextLengths {
        said: format!("Text messages of this practice: {}.", lengths.join(", ")),
        warnings: samples.iter().filter_map(warning).collect(),
    }))
}

fn name(sample: &SampleText) -> String {
    format!("`{}` in {}", sample.kind, sample.locale.tag())
}

fn length(sample: &SampleText) -> String {
    let count = sample.segments.count;
    format!("{} {count} segment{}", name(sample), if count == 1 { "" } else { "s" })
}

fn warning(sample: &SampleText) -> Option<String> {
    let segments = sample.segments;
    let cause = match segments.beyond_gsm_7 {
        Some(c) => format!(
            "`{}` is not in the alphabet of text messages (GSM 7-bit), so a message has room for 70 characters instead \
             of 160",
            c.escape_debug()
        ),
        None if segments.count > 1 => {
            "the practice's name, its host or the theme's text is too long".to_owned()
        }
        None => return None,
    };
    Some(format!("the text {}: {cause}", length(sample)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_config::Configuration;
    use anteroom_crypto::{MasterKey, Random};
    use secrecy::ExposeSecret as _;

    fn lengths(name: &str, text: &str) -> Option<TextLengths> {
        let text = format!(
            "issuer = \"http://localhost:8080\"\nkeys.master_key_env = \"MASTER_KEY\"\npractice.name = \"{name}\"\n{text}"
        );
        let key = MasterKey::generate(&Random::seeded(1)).encode();
        let environment = |name: &str| (name == "MASTER_KEY").then(|| key.expose_secret().to_owned());
        let read = Configuration::parse_str("test.toml", &text, &environment);
        let settings = read.unwrap_or_else(|problems| panic!("{}", problems.render(false))).settings;
        text_lengths(&settings, &Theme::load(None).unwrap()).unwrap()
    }

    #[test]
    fn the_segments_are_counted_with_the_name_of_the_practice() {
        const TEXT: &str =
            "text.provider = \"http\"\ntext.http.url = \"http://127.0.0.1:9/?to={to}&text={text}\"\n";
        assert_eq!(lengths("Riverside Dental", ""), None);
        let short = lengths("Riverside Dental", TEXT).unwrap();
        assert!(short.warnings.is_empty(), "{short:?}");
        assert!(short.said.contains("`code` in en 1 segment, "), "{}", short.said);
        let beyond = lengths("Clínica Núñez", TEXT).unwrap();
        assert_eq!(beyond.warnings.len(), 4, "{beyond:?}");
        assert!(beyond.warnings.iter().all(|warning| warning.contains("`í` is not in")), "{beyond:?}");
        let long = lengths(&"x".repeat(90), TEXT).unwrap();
        assert!(long.warnings.iter().any(|warning| warning.contains("is too long")), "{long:?}");
    }
}
