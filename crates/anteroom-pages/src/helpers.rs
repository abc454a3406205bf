//! Helpers for templates in addition to Handlebars' own `if`, `unless`, `each`, `with` and `or`: `t` (a text), `date`
//! and `moment` (times in words), `asset` (an asset's address), `icon` (a drawing), `href` (an address that is safe as
//! a link) and `is` (whether a value equals a word).

use std::borrow::Cow;
use std::sync::Arc;

use fluent_bundle::{FluentArgs, FluentValue};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson, RenderContext, RenderError,
    RenderErrorReason, ScopedJson,
};
use serde_json::Value;

use crate::assets::Assets;
use crate::locale::Locale;
use crate::texts::Texts;

/// The helpers that return a value and can be used as parameters.
pub(crate) const VALUES: [&str; 7] = ["asset", "date", "href", "icon", "is", "moment", "or"];

/// Shown for a tile whose icon the theme lacks.
const GENERAL_ICON: &str = "app";

pub(crate) fn register(registry: &mut Handlebars<'static>, texts: &Arc<Texts>, assets: &Arc<Assets>) {
    let words = |kind| Box::new(TextHelper { kind, texts: Arc::clone(texts) });
    registry.register_helper("t", words(Kind::Text));
    registry.register_helper("date", words(Kind::Date));
    registry.register_helper("moment", words(Kind::Moment));
    registry.register_helper("asset", Box::new(AssetUrl(Arc::clone(assets))));
    registry.register_helper("icon", Box::new(Icon(Arc::clone(assets))));
    registry.register_helper("href", Box::new(Href));
    registry.register_helper("is", Box::new(Is));
}

fn refused(reason: impl Into<String>) -> RenderError {
    RenderErrorReason::Other(reason.into()).into()
}

fn first<'a>(helper: &'a Helper<'_>) -> Result<&'a Value, RenderError> {
    let given = helper.param(0).filter(|parameter| !parameter.is_value_missing());
    given.map(PathAndJson::value).ok_or_else(|| refused(format!("`{}` needs a value", helper.name())))
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Date,
    Moment,
}

/// Texts and times in the page's language. The result is escaped like any other value.
struct TextHelper {
    kind: Kind,
    texts: Arc<Texts>,
}

impl HelperDef for TextHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let locale = context.data().get("locale").and_then(Value::as_str).and_then(Locale::from_tag);
        let subject = first(helper)?;
        let mut args = FluentArgs::new();
        let id = match self.kind {
            Kind::Text => {
                for (name, value) in helper.hash() {
                    args.set(*name, argument(name, value.value())?);
                }
                subject.as_str().unwrap_or_default()
            }
            Kind::Date => {
                date_arguments(subject, &mut args)?;
                "date"
            }
            Kind::Moment => {
                moment_arguments(subject, &mut args)?;
                "moment"
            }
        };
        let text = self.texts.format(locale.unwrap_or_default(), id, &args).map_err(refused)?;
        Ok(ScopedJson::Derived(Value::String(text)))
    }
}

fn argument(name: &str, value: &Value) -> Result<FluentValue<'static>, RenderError> {
    match value {
        Value::String(text) => Ok(FluentValue::from(text.clone())),
        Value::Number(number) => Ok(FluentValue::from(number.as_f64().unwrap_or_default())),
        Value::Bool(flag) => Ok(FluentValue::from(flag.to_string())),
        _ => Err(refused(format!("nothing to put for `{name}`"))),
    }
}

fn number(record: &Value, field: &str) -> Result<i64, RenderError> {
    record.get(field).and_then(Value::as_i64).ok_or_else(|| refused(format!("a time without its `{field}`")))
}

fn date_arguments(date: &Value, args: &mut FluentArgs<'_>) -> Result<(), RenderError> {
    for field in ["year", "month", "day"] {
        args.set(field, number(date, field)?);
    }
    Ok(())
}

fn moment_arguments(moment: &Value, args: &mut FluentArgs<'_>) -> Result<(), RenderError> {
    date_arguments(moment.get("date").unwrap_or(&Value::Null), args)?;
    let hour = number(moment, "hour")?;
    args.set("hour", hour);
    args.set("hour12", (hour + 11) % 12 + 1);
    args.set("half", if hour < 12 { "am" } else { "pm" });
    args.set("minute", format!("{:02}", number(moment, "minute")?));
    args.set("zone", moment.get("zone").and_then(Value::as_str).unwrap_or_default().to_owned());
    Ok(())
}

struct AssetUrl(Arc<Assets>);

impl HelperDef for AssetUrl {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let name = first(helper)?.as_str().unwrap_or_default();
        let url = self.0.url(name).ok_or_else(|| refused(format!("there is no asset `{name}`")))?;
        Ok(ScopedJson::Derived(Value::String(url)))
    }
}

/// Writes the drawing itself, an `<img>` for another image among the assets, or the default drawing. Only here markup
/// is written unescaped; it comes from the theme's own files.
struct Icon(Arc<Assets>);

impl HelperDef for Icon {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let name = first(helper)?.as_str().unwrap_or_default();
        let markup = match (self.0.icon(name), self.0.url(name)) {
            (Some(svg), _) => Cow::Borrowed(svg),
            (None, Some(url)) => {
                Cow::Owned(format!("<img src=\"{}\" alt=\"\">", handlebars::html_escape(&url)))
            }
            (None, None) => Cow::Borrowed(self.0.icon(GENERAL_ICON).unwrap_or_default()),
        };
        Ok(out.write(&markup)?)
    }
}

/// Addresses on pages may come from registrations. Applications have schemes of their own, so this lists the schemes
/// that must not be links: those that run a script or show a page that is not the application's.
struct Href;

const NEVER_FOLLOWED: [&str; 4] = ["javascript", "data", "vbscript", "blob"];

impl HelperDef for Href {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let address = first(helper)?.as_str().unwrap_or_default();
        // Browsers ignore control characters and spaces in a scheme.
        let scheme: String = address
            .split(':')
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_control() && !c.is_whitespace())
            .collect();
        let refused = NEVER_FOLLOWED.iter().any(|never| scheme.eq_ignore_ascii_case(never));
        Ok(ScopedJson::Derived(Value::String(if refused { "/".to_owned() } else { address.to_owned() })))
    }
}

/// Unlike Handlebars' `eq`, this accepts an absent name: it equals no word.
struct Is;

impl HelperDef for Is {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let (value, word) = (helper.param(0), helper.param(1));
        let same = value.is_some_and(|value| word.is_some_and(|word| value.value() == word.value()));
        Ok(ScopedJson::Derived(Value::Bool(same)))
    }
}
