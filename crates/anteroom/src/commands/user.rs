//! `anteroom user …`: no command sets, shows or skips a password or code.

use anteroom_config::Configuration;
use anteroom_domain::account::{Account, GroupName, PhoneKind, Profile};
use anteroom_domain::address::{EmailAddress, FoldedAddress};
use anteroom_domain::ids::AccountId;
use anteroom_domain::phone::Phone;
use anteroom_domain::profile::{ClaimChange, EditableProfile, ProfileClaim};
use anteroom_flows::context::call::Call;
use anteroom_flows::error::FlowError;
use anteroom_flows::people::admin::{self, Invitee, Membership};
use anteroom_flows::people::profile;
use anteroom_flows::people::support;
use anteroom_oidc::ClientId;
use anteroom_oidc::display_text::is_hidden;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use super::shown::argument;
use super::{CommandError, block_on, load, print_line, shown_time, warn};
use crate::cli::{
    GroupArgs, GroupChange, InviteArgs, PhoneArgs, PhoneKindArg, SetClaimsArgs, ShowArgs, UserCommand,
};
use anteroom_server::wiring::{self, Environment};

/// Accounts read per query while listing.
const PAGE: u32 = 200;

pub fn run(command: UserCommand) -> Result<(), CommandError> {
    match command {
        UserCommand::Invite(args) => invite(args),
        UserCommand::List(args) => with_provider(&args.config, list),
        UserCommand::Show(args) => show(&args),
        UserCommand::Disable(args) => {
            let address = parse_address(&args.email)?;
            with_writable_provider(&args.config.config, async move |call| {
                admin::disable(&call, &address).await?;
                print_line(&format!("{address} is disabled; every session of the account has ended."));
                Ok(())
            })
        }
        UserCommand::Enable(args) => {
            let address = parse_address(&args.email)?;
            with_writable_provider(&args.config.config, async move |call| {
                admin::enable(&call, &address).await?;
                print_line(&format!("{address} is enabled."));
                Ok(())
            })
        }
        UserCommand::Group(args) => group(&args),
        UserCommand::Claims(args) => {
            let address = parse_address(&args.email)?;
            let client = args.client.as_deref().map(parse_client).transpose()?;
            with_provider(&args.config.config, async move |call| {
                show_claims(&call, &address, client.as_ref()).await
            })
        }
        UserCommand::SetClaims(args) => set_claims(&args),
        UserCommand::Phone(args) => phone(args),
        UserCommand::SendReset(args) => {
            let address = parse_address(&args.email)?;
            with_writable_provider(&args.config.config, async move |call| {
                support::send_reset(&call, &address).await?;
                print_line(&format!(
                    "The mail to {address} is queued. Only the person can complete the reset."
                ));
                Ok(())
            })
        }
    }
}

pub(super) fn with_provider<F, Fut>(config: &Path, work: F) -> Result<(), CommandError>
where
    F: FnOnce(Call) -> Fut,
    Fut: Future<Output = Result<(), CommandError>>,
{
    with_configuration(&load(config)?, work)
}

fn with_configuration<F, Fut>(configuration: &Configuration, work: F) -> Result<(), CommandError>
where
    F: FnOnce(Call) -> Fut,
    Fut: Future<Output = Result<(), CommandError>>,
{
    block_on(async move {
        let provider = wiring::provider(configuration, &Environment::for_production_or_demo()).await?;
        work(Call::local(&Arc::new(provider))).await
    })
}

/// For commands that change something: refuses a database that went back to an earlier state, because accepting it may end what
/// the command wrote.
pub(super) fn with_writable_provider<F, Fut>(config: &Path, work: F) -> Result<(), CommandError>
where
    F: FnOnce(Call) -> Fut,
    Fut: Future<Output = Result<(), CommandError>>,
{
    changing_with(&load(config)?, work)
}

fn changing_with<F, Fut>(configuration: &Configuration, work: F) -> Result<(), CommandError>
where
    F: FnOnce(Call) -> Fut,
    Fut: Future<Output = Result<(), CommandError>>,
{
    with_configuration(configuration, async move |call| match call.provider().history.refused() {
        Some(why) => Err(CommandError::WentBack(why)),
        None => work(call).await,
    })
}

fn show(args: &ShowArgs) -> Result<(), CommandError> {
    if let Ok(id) = args.account.parse::<AccountId>() {
        return with_provider(&args.config.config, async move |call| {
            let account = call.store().account(id).await.map_err(FlowError::from)?;
            let account = account.ok_or_else(|| CommandError::Usage(format!("there is no account {id}")))?;
            describe(&call, &account).await
        });
    }
    let address = EmailAddress::parse(&args.account).map_err(|_| {
        let what = argument(&args.account);
        CommandError::Usage(format!(
            "{what} is neither an email address nor the identifier of an account, which has 36 characters"
        ))
    })?;
    with_provider(&args.config.config, async move |call| {
        let account = admin::find(&call, &address).await?;
        describe(&call, &account).await
    })
}

fn invite(args: InviteArgs) -> Result<(), CommandError> {
    let invitee = Invitee {
        address: parse_address(&args.email)?,
        profile: named(&args)?,
        groups: args.groups.iter().map(|group| parse_group(group)).collect::<Result<_, _>>()?,
        locale: args.locale,
    };
    let configuration = load(&args.config.config)?;
    let settings = &configuration.settings;
    let mails_go_out = settings.email.is_some() || settings.dev.outbox;
    changing_with(&configuration, async move |call| {
        let address = invitee.address.clone();
        let invited = admin::invite(&call, invitee).await?;
        let again = if invited.again { " again" } else { "" };
        let groups: Vec<&str> = invited.groups.iter().map(GroupName::as_str).collect();
        let groups = if groups.is_empty() { "no group".to_owned() } else { groups.join(", ") };
        print_line(&format!("{address} is invited{again} (in: {groups}); the mail with the link is queued."));
        if !mails_go_out {
            warn(&format!(
                "the mail is not sent, because the configuration has no [email]. {address} gets it when [email] is \
                 configured, if the invitation has not expired by then"
            ));
        }
        Ok(())
    })
}

fn phone(args: PhoneArgs) -> Result<(), CommandError> {
    let address = parse_address(&args.email)?;
    let kind = match args.kind {
        PhoneKindArg::Cell => PhoneKind::Cell,
        PhoneKindArg::Landline => PhoneKind::Landline,
    };
    with_writable_provider(&args.config.config, async move |call| {
        let usable_from = support::add_phone(&call, &address, &args.number, kind).await?;
        let when = shown_time(usable_from, &call.snapshot().practice.time_zone);
        print_line(&format!(
            "The phone was added, and codes can be sent to it from {when} on. Every address and every cell phone of \
             {address} is notified."
        ));
        Ok(())
    })
}

fn full_name(given: Option<&str>, family: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = [given, family].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

async fn list(call: Call) -> Result<(), CommandError> {
    let mut after: Option<FoldedAddress> = None;
    loop {
        let page = call.store().accounts(after.as_ref(), PAGE).await?;
        for account in &page {
            let groups: Vec<String> = account.groups.iter().map(ToString::to_string).collect();
            let state = state(account);
            print_line(&format!(
                "{:<40} {:<24} {}",
                account.primary_address.as_str(),
                state,
                groups.join(" ")
            ));
        }
        match page.last() {
            Some(last) => after = Some(last.primary_address.folded()),
            None => return Ok(()),
        }
    }
}

fn state(account: &Account) -> String {
    let lockout = account.lockout;
    let lock = match (lockout.locked_at, lockout.unknown_locked_at) {
        (Some(_), _) => ", locked",
        (None, Some(_)) => ", locked for new devices",
        (None, None) => "",
    };
    format!("{}{lock}", account.status.as_str())
}

async fn describe(call: &Call, account: &Account) -> Result<(), CommandError> {
    let groups: Vec<String> = account.groups.iter().map(ToString::to_string).collect();
    let sessions = call.store().sessions_of_account(account.id).await?;
    print_line(&format!("account    {}", account.id));
    print_line(&format!(
        "address    {}{}",
        account.primary_address,
        if account.address_verified { "" } else { " (not confirmed)" }
    ));
    print_line(&format!("name       {}", account.display_name().replace(is_hidden, "\u{fffd}")));
    print_line(&format!("state      {}", state(account)));
    print_line(&format!("groups     {}", groups.join(" ")));
    let (now, zone) = (call.now, call.snapshot().practice.time_zone.clone());
    print_line(&format!("since      {}", shown_time(account.created_at, &zone)));
    print_line(&format!("sessions   {}", sessions.len()));
    let phones = call.store().phones_of(account.id).await?;
    if phones.is_empty() {
        print_line("phones     none");
    }
    for phone in &phones {
        print_line(&format!("phone      {}", phone_line(phone, now, &zone)));
    }
    Ok(())
}

/// Only the last two digits: a bystander must not read a number from the screen.
fn phone_line(phone: &Phone, now: Timestamp, zone: &TimeZone) -> String {
    let verified = if phone.verified_at.is_some() { "verified" } else { "not verified yet" };
    let from = if phone.usable_from > now {
        format!(", can be sent codes from {} on", shown_time(phone.usable_from, zone))
    } else {
        String::new()
    };
    format!("{} {}, {verified}{from}", phone.number.masked(), phone.kind.as_str())
}

fn group(args: &GroupArgs) -> Result<(), CommandError> {
    let (address, group) = (parse_address(&args.email)?, parse_group(&args.group)?);
    let change = match args.change {
        GroupChange::Add => Membership::Add,
        GroupChange::Remove => Membership::Remove,
    };
    with_writable_provider(&args.config.config, async move |call| {
        admin::change_group(&call, &address, group, change).await?;
        let account = admin::find(&call, &address).await?;
        let groups: Vec<String> = account.groups.iter().map(ToString::to_string).collect();
        print_line(&format!("{address} is in: {}", groups.join(" ")));
        Ok(())
    })
}

/// Prints the claims as the userinfo endpoint returns them.
async fn show_claims(
    call: &Call,
    address: &EmailAddress,
    client: Option<&ClientId>,
) -> Result<(), CommandError> {
    let claims = profile::claims(call, address, client).await?;
    print_line(&format!("{claims:#}"));
    Ok(())
}

fn set_claims(args: &SetClaimsArgs) -> Result<(), CommandError> {
    let address = parse_address(&args.email)?;
    let now = Environment::production().clock.now();
    let changes = parse_claims(&args.claims, now)?;
    with_writable_provider(&args.config.config, async move |call| {
        profile::set_claims(&call, &address, changes).await?;
        show_claims(&call, &address, None).await
    })
}

fn parse_client(text: &str) -> Result<ClientId, CommandError> {
    text.parse().map_err(|error| CommandError::Usage(format!("{error}")))
}

/// Reports all mistakes at once, one line each.
fn parse_claims(texts: &[String], now: Timestamp) -> Result<Vec<ClaimChange>, CommandError> {
    let (mut changes, mut mistakes) = (Vec::new(), Vec::new());
    for text in texts {
        match parse_claim(text, now) {
            Ok(change) => changes.push(change),
            Err(mistake) => mistakes.push(mistake.to_string()),
        }
    }
    if mistakes.is_empty() { Ok(changes) } else { Err(CommandError::Usage(mistakes.join("\n"))) }
}

fn parse_claim(text: &str, now: Timestamp) -> Result<ClaimChange, CommandError> {
    let usage = |problem: String| CommandError::Usage(format!("{}: {problem}", argument(text)));
    let (name, value) = text.split_once('=').ok_or_else(|| usage("write NAME=VALUE".to_owned()))?;
    let claim = ProfileClaim::parse(name).ok_or_else(|| {
        let known: Vec<&str> = ProfileClaim::ALL.iter().map(|claim| claim.as_str()).collect();
        usage(format!("not a claim that can be set; the claims are {}", known.join(", ")))
    })?;
    ClaimChange::parse(claim, value, now).map_err(|error| usage(error.to_string()))
}

/// The profile from the invitation's arguments.
fn named(args: &InviteArgs) -> Result<Profile, CommandError> {
    let (given, family) = (args.given_name.as_deref(), args.family_name.as_deref());
    let full = full_name(given, family);
    let now = Environment::production().clock.now();
    let said = [("given_name", given), ("family_name", family), ("name", full.as_deref())];
    let said = said.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
    let changes = said.map(|text| parse_claim(&text, now)).collect::<Result<Vec<_>, _>>()?;
    let mut described = EditableProfile::default();
    described.change(&changes);
    Ok(described.into_parts().0)
}

fn parse_address(text: &str) -> Result<EmailAddress, CommandError> {
    EmailAddress::parse(text).map_err(|error| CommandError::Usage(format!("{}: {error}", argument(text))))
}

fn parse_group(text: &str) -> Result<GroupName, CommandError> {
    GroupName::parse(text).map_err(|error| CommandError::Usage(format!("{}: {error}", argument(text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_domain::ids::PhoneId;
    use anteroom_domain::phone::E164;
    use jiff::SignedDuration;

    #[test]
    fn every_claim_that_cannot_be_said_is_named() {
        let texts = ["zoneinfo=Mars/Phobos", "nickname=Al", "birthdate=2030-01-01"].map(str::to_owned);
        let message = parse_claims(&texts, Timestamp::UNIX_EPOCH).unwrap_err().to_string();
        assert!(message.contains("Mars/Phobos") && message.contains("2030-01-01"), "{message}");
        assert_eq!((message.lines().count(), message.contains("nickname")), (2, false), "{message}");
        assert_eq!(parse_claims(&texts[1..2], Timestamp::UNIX_EPOCH).unwrap().len(), 1);
    }

    #[test]
    fn a_phone_is_shown_masked_and_with_when_it_serves() {
        let now = Timestamp::UNIX_EPOCH;
        let phone = |kind, verified_at, hours| Phone {
            id: "01936f5e-0000-7000-8000-000000000000".parse::<PhoneId>().unwrap(),
            number: E164::parse("+12025550143").unwrap(),
            kind,
            verified_at,
            usable_from: now.checked_add(SignedDuration::from_hours(hours)).unwrap(),
        };
        for (phone, expected) in [
            (phone(PhoneKind::Cell, Some(now), 0), "•••-•••-••43 cell, verified"),
            (
                phone(PhoneKind::Landline, None, 72),
                "•••-•••-••43 landline, not verified yet, can be sent codes from 1970-01-04 00:00:00 UTC on",
            ),
        ] {
            assert_eq!(phone_line(&phone, now, &TimeZone::UTC), expected);
        }
    }
}
