//! Logs: to standard error, as text for people or JSON for machines; in colours only on a terminal.
//!
//! An event is one line, and the lines that requests cause are limited (`line_limit`). Values may come from outside, so
//! the text format writes invisible characters as escapes and cuts long values; JSON escapes line breaks by itself.

mod line_limit;

use anteroom_config::{Log, LogFormat, LogLevel};
use anteroom_oidc::display_text::is_hidden;
use anteroom_web::REQUESTS;
use std::fmt::{self, Debug, Write};
use std::io::{IsTerminal as _, stderr};
use std::sync::{Arc, LazyLock};
use tracing::field::Field;
use tracing::{Level, Subscriber};
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::{FormatFields, MakeWriter, format};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::line_limit::{LineLimit, LineLimitLayer, MOST_ANSWERED, MOST_LINES};

/// Our own longest value, the signed checkpoint of the audit trail, has less than half of this.
const LONGEST_VALUE: usize = 2_048;

/// A process has one log.
static LINE_LIMIT: LazyLock<Arc<LineLimit>> = LazyLock::new(Arc::default);

pub fn init(log: Log) {
    init_filtered(log.format, &filter(log));
}

/// All modules and targets of the database's driver.
const DRIVER: &str = "sqlx";

/// The driver logs each connection that an outage breaks, and notices of PostgreSQL. What matters of it comes back as an
/// error, whose line has the cause.
fn filter(log: Log) -> String {
    let mut filter = log.level.as_str().to_owned();
    if !matches!(log.level, LogLevel::Debug | LogLevel::Trace) {
        filter.extend([",", DRIVER, "=error"]);
    }
    if !log.requests {
        filter.extend([",", REQUESTS, "=off"]);
    }
    filter
}

/// `filter` in the syntax of `tracing_subscriber`: a level, and levels of single targets.
pub fn init_filtered(written: LogFormat, filter: &str) {
    // Only a second initialization in one process can fail, and then the first one stays in effect.
    let _ = match written {
        LogFormat::Json => json(filter, stderr).try_init(),
        LogFormat::Text => text(filter, stderr, stderr().is_terminal()).try_init(),
    };
}

/// Logs how many lines about requests were left out since the last call, by their place in the code.
pub fn log_left_out_lines() {
    for (place, count) in LINE_LIMIT.take_left_out() {
        tracing::warn!(
            place,
            count,
            "log lines about requests were left out: each place in the code writes at most {MOST_LINES} a minute, the \
             line for each response at most {MOST_ANSWERED}"
        );
    }
}

/// A subscriber with the text format.
pub fn text<W>(level: &str, writer: W, coloured: bool) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(level).with_writer(writer);
    let builder = builder.with_ansi(coloured).with_target(false).fmt_fields(fields());
    builder.finish().with(LineLimitLayer(Arc::clone(&LINE_LIMIT)))
}

/// A subscriber with the JSON format: fields are members of the line's object, beside those that `tracing_subscriber` adds.
pub fn json<W>(level: &str, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(level).with_writer(writer);
    let builder = builder.json().flatten_event(true);
    builder.finish().with(LineLimitLayer(Arc::clone(&LINE_LIMIT)))
}

/// Logs a report of several lines, each as an event of its own.
pub fn report(level: Level, report: &str) {
    for line in report.lines() {
        if level == Level::ERROR {
            tracing::error!("{line}");
        } else {
            tracing::warn!("{line}");
        }
    }
}

fn fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    let one = |writer: &mut format::Writer<'_>, field: &Field, value: &dyn Debug| {
        if field.name() != "message" {
            write!(writer, "{}=", field.name())?;
        }
        write!(Escaping { writer, left: LONGEST_VALUE }, "{value:?}")
    };
    format::debug_fn(one).delimited(" ")
}

/// Writes one value: invisible characters as escapes, and at most this many bytes.
struct Escaping<'w, 'f> {
    writer: &'w mut format::Writer<'f>,
    left: usize,
}

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.left == 0 {
                return Ok(());
            }
            match self.left.checked_sub(c.len_utf8()) {
                Some(left) => self.left = left,
                None => self.left = 0,
            }
            if self.left == 0 {
                self.writer.write_str("… (cut)")?;
            } else if is_hidden(c) {
                write!(self.writer, "{}", c.escape_default())?;
            } else {
                self.writer.write_char(c)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(coloured: bool, log: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        let subscriber = text("trace", move || writer.clone(), coloured);
        tracing::subscriber::with_default(subscriber, log);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const EVIL: &str = "x\nERROR forged\r\u{85}\u{2028}\u{2029}\u{202e}\u{2066}\u{feff}\u{1b}[2J";

    #[test]
    fn nothing_from_outside_makes_a_line() {
        let text = written(false, || {
            let error = io::Error::other(EVIL);
            tracing::warn!(display = %EVIL, debug = ?error, plain = EVIL, "refused: {error}");
            let _span = tracing::warn_span!("inside", of = %EVIL).entered();
            tracing::error!(error = &error as &dyn std::error::Error, "{EVIL}");
        });
        assert_eq!(text.lines().count(), 2, "{text}");
        let body = text.replace('\n', "");
        assert!(!body.contains(is_hidden), "{body:?}");
        assert!(body.contains("refused: x\\nERROR forged\\r\\u{85}\\u{2028}"), "{body}");
    }

    #[test]
    fn requests_cannot_fill_the_log() {
        let text = written(false, || {
            for number in 0..1_000 {
                tracing::warn!(reference = number, "refused");
                tracing::info!(number, "a round");
            }
            tracing::warn!(reference = "x", "another place");
        });
        let lines = |of: &str| text.lines().filter(|line| line.contains(of)).count();
        assert_eq!((lines("refused"), lines("a round"), lines("another place")), (300, 1_000, 1));
        let logged = written(false, log_left_out_lines);
        assert!(logged.contains("count=700") && logged.contains("logging.rs:"), "{logged}");
    }

    #[test]
    fn the_driver_has_lines_of_its_own_only_where_everything_is_logged() {
        let said = |level| {
            let page = Page::default();
            let writer = page.clone();
            let log = Log { format: LogFormat::Text, level, requests: true };
            tracing::subscriber::with_default(text(&filter(log), move || writer.clone(), false), || {
                tracing::warn!(target: "sqlx::postgres::notice", "terminating connection");
                tracing::warn!(target: "sqlx_core::pool::connection", "testing the connection on-release");
                tracing::error!(target: "sqlx_core::pool::inner", "an error");
                tracing::warn!("not ready");
            });
            let bytes = page.0.lock().unwrap().clone();
            String::from_utf8(bytes).unwrap().lines().count()
        };
        assert_eq!((said(LogLevel::Info), said(LogLevel::Warn), said(LogLevel::Debug)), (2, 2, 4));
    }

    #[test]
    fn a_line_stays_readable() {
        let text = written(false, || tracing::info!(seq = 7, who = "ana", "Peña, 漢字 sent"));
        assert!(text.ends_with("INFO Peña, 漢字 sent seq=7 who=\"ana\"\n"), "{text}");
        let coloured = written(true, || tracing::info!("sent"));
        assert!(coloured.contains("\u{1b}["), "{coloured:?}");
    }

    #[test]
    fn a_value_has_a_longest_length() {
        let long = "é".repeat(LONGEST_VALUE);
        let text = written(false, || tracing::info!(%long, after = 1, "{long}"));
        assert!(text.len() < 2 * LONGEST_VALUE + 200, "{}", text.len());
        assert_eq!(text.matches("… (cut)").count(), 2);
        assert!(text.ends_with("after=1\n"), "{text}");
    }

    #[test]
    fn a_report_is_one_event_a_line() {
        let text = written(false, || report(Level::ERROR, "error: a\n  --> file\n"));
        assert_eq!(text.lines().filter(|line| line.contains("ERROR")).count(), 2, "{text}");
    }
}
