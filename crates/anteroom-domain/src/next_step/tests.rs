//! The whole table: every combination of who is there and what is asked, held against the rules one by one.

use super::*;
use anteroom_oidc::Scope;
use std::collections::BTreeSet;

const BEGAN: i64 = 1_000_000;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_second(BEGAN + offset).unwrap()
}

fn standing() -> AuthenticationState {
    AuthenticationState {
        status: AccountStatus::Active,
        auth_time: at(-600),
        acr: Acr::Pwd,
        password: PasswordStatus::Good,
        device_stepped_up: false,
        can_step_up: true,
        requires_reauthentication: false,
    }
}

fn needs() -> AuthenticationRequirements {
    AuthenticationRequirements {
        signed_in_for_request: true,
        ..AuthenticationRequirements::signed_in_only(at(0))
    }
}

fn consent() -> ScopeSet {
    let mut scopes = ScopeSet::default();
    scopes.insert(Scope::Email);
    scopes
}

fn every_standing() -> Vec<AuthenticationState> {
    let mut all = Vec::new();
    for status in [AccountStatus::Active, AccountStatus::Invited, AccountStatus::Disabled] {
        for auth_time in [at(-600), at(5)] {
            for acr in [Acr::Pwd, Acr::Mfa] {
                for password in every_password() {
                    for bits in 0..8_u8 {
                        all.push(AuthenticationState {
                            status,
                            auth_time,
                            acr,
                            password,
                            device_stepped_up: bits & 1 != 0,
                            can_step_up: bits & 2 != 0,
                            requires_reauthentication: bits & 4 != 0,
                        });
                    }
                }
            }
        }
    }
    all
}

fn every_password() -> Vec<PasswordStatus> {
    let expired = |bits: u8| PasswordStatus::Expired { told: bits & 1 != 0, code_entered: bits & 2 != 0 };
    std::iter::once(PasswordStatus::Good).chain((0..4).map(expired)).collect()
}

fn every_need() -> Vec<AuthenticationRequirements> {
    let mut all = Vec::new();
    for max_age in [None, Some(0), Some(300), Some(3600)] {
        for min_acr in [None, Some(Acr::Pwd), Some(Acr::Mfa)] {
            for bits in 0..=u8::MAX {
                all.push(AuthenticationRequirements {
                    began_at: at(0),
                    signed_in_for_request: bits & 128 != 0,
                    login: bits & 1 != 0,
                    choose_account: bits & 2 != 0,
                    max_age: max_age.map(SignedDuration::from_secs),
                    requires_other_subject: bits & 4 != 0,
                    min_acr,
                    new_device_steps_up: bits & 8 != 0,
                    new_password: bits & 64 != 0,
                    entitlement_missing: bits & 16 != 0,
                    consent: (bits & 32 != 0).then(consent),
                });
            }
        }
    }
    all
}

/// Every obstacle between this person and the destination, whatever its order: written apart from `decide`.
fn obstacles(
    standing: AuthenticationState,
    needs: &AuthenticationRequirements,
    now: Timestamp,
) -> Vec<NextStep> {
    let signed_in_for_this = needs.signed_in_for_request && standing.auth_time >= needs.began_at;
    let grace = if signed_in_for_this { 600 } else { 0 };
    let age = now.as_second() - standing.auth_time.as_second();
    let never_enough = |max: SignedDuration| max.is_zero() && !signed_in_for_this;
    let too_old = needs.max_age.is_some_and(|max| never_enough(max) || age > max.as_secs().max(grace));
    let weak = needs.min_acr.is_some_and(|min| min > standing.acr);
    let new_device = needs.new_device_steps_up && !standing.device_stepped_up && standing.acr != Acr::Mfa;
    let none = |purpose| NextStep::NoSecondFactor(purpose);
    let step_up = |reason| {
        if standing.can_step_up { NextStep::StepUp(reason) } else { none(CodePurpose::StepUp) }
    };
    let (expired, told, code_entered) = match standing.password {
        PasswordStatus::Good => (false, false, false),
        PasswordStatus::Expired { told, code_entered } => (true, told, code_entered),
    };
    let rules = [
        (standing.status == AccountStatus::Disabled, NextStep::SignIn(SignInReason::AccountInactive)),
        (standing.status == AccountStatus::Invited, NextStep::CompleteRegistration),
        (needs.choose_account, NextStep::ChooseAccount),
        (needs.requires_other_subject && !signed_in_for_this, NextStep::SignIn(SignInReason::OtherAccount)),
        (needs.requires_other_subject, NextStep::NotTheRequiredSub),
        (standing.requires_reauthentication, NextStep::SignIn(SignInReason::SessionNotCurrent)),
        (needs.login && !signed_in_for_this, NextStep::SignIn(SignInReason::LoginRequested)),
        (too_old, NextStep::SignIn(SignInReason::MaxAgeExceeded)),
        (needs.entitlement_missing, NextStep::NotEntitled),
        (expired && !told && !code_entered, NextStep::PasswordExpired),
        (expired && !code_entered && standing.can_step_up, NextStep::Verify(CodePurpose::ExpiredPassword)),
        (expired && !code_entered, none(CodePurpose::ExpiredPassword)),
        (expired, NextStep::NewPassword(NewPasswordReason::Expired)),
        (weak, step_up(StepUpReason::Required)),
        (new_device, step_up(StepUpReason::NewDevice)),
        (needs.new_password, NextStep::NewPassword(NewPasswordReason::Chosen)),
        (needs.consent.is_some(), NextStep::Consent(needs.consent.clone().unwrap_or_default())),
    ];
    rules.into_iter().filter(|(applies, _)| *applies).map(|(_, step)| step).collect()
}

#[test]
fn over_the_whole_table_the_first_obstacle_is_the_next_step() {
    let mut cases = 0;
    let mut seen = BTreeSet::new();
    for standing in every_standing() {
        for needs in every_need() {
            let now = at(10);
            let expected = obstacles(standing, &needs, now).into_iter().next().unwrap_or(NextStep::Done);
            let got = decide(Person::One(standing), &needs, now);
            assert_eq!(got, expected, "{standing:?} {needs:?}");
            seen.insert(format!("{got:?}"));
            cases += 1;
        }
    }
    assert_eq!(cases, 480 * 3072);
    assert_eq!(seen.len(), 19, "every step is reached: {seen:?}");
}

#[test]
fn nobody_signs_in_and_several_choose_whatever_is_asked() {
    for needs in every_need() {
        assert_eq!(decide(Person::NoAccount, &needs, at(10)), NextStep::SignIn(SignInReason::NotSignedIn));
        assert_eq!(decide(Person::Several, &needs, at(10)), NextStep::ChooseAccount);
    }
}

#[test]
fn only_done_releases_anything_under_prompt_none() {
    for standing in every_standing() {
        for needs in every_need() {
            let step = decide(Person::One(standing), &needs, at(10));
            for consent in [PriorConsent::Given, PriorConsent::Never] {
                assert_eq!(step.prompt_none_error(consent).is_none(), step == NextStep::Done);
            }
        }
    }
}

#[test]
fn core_3_1_2_6_without_any_consent_a_silent_request_tells_that_somebody_is_there_and_no_more() {
    let told = |step: NextStep| step.prompt_none_error(PriorConsent::Never);
    let login = Some(AuthorizationErrorCode::LoginRequired);
    for standing in every_standing().into_iter().filter(|one| one.status != AccountStatus::Disabled) {
        for needs in every_need() {
            // As with every such client, there is something to agree to; and no silent request comes from a sign-in for it.
            let needs = AuthenticationRequirements { consent: Some(consent()), ..needs };
            if needs.signed_in_for_request && standing.auth_time >= needs.began_at {
                continue;
            }
            let step = decide(Person::One(standing), &needs, at(10));
            assert_eq!(told(step.clone()), Some(AuthorizationErrorCode::ConsentRequired), "{step:?}");
        }
    }
    assert_eq!(told(NextStep::ChooseAccount), Some(AuthorizationErrorCode::ConsentRequired));
    for reason in [SignInReason::NotSignedIn, SignInReason::AccountInactive] {
        assert_eq!(told(NextStep::SignIn(reason)), login);
    }
    assert_eq!(
        NextStep::ChooseAccount.prompt_none_error(PriorConsent::Given),
        Some(AuthorizationErrorCode::AccountSelectionRequired)
    );
}

#[test]
fn signing_in_answers_prompt_login_and_max_age_once_and_for_all() {
    let needs = AuthenticationRequirements { login: true, max_age: Some(SignedDuration::ZERO), ..needs() };
    let before = decide(Person::One(standing()), &needs, at(10));
    assert_eq!(before, NextStep::SignIn(SignInReason::LoginRequested));
    let fresh = AuthenticationState { auth_time: at(1), ..standing() };
    // Also when a consent page took its time in between, but not for as long as the person likes.
    assert_eq!(decide(Person::One(fresh), &needs, at(600)), NextStep::Done);
    assert_eq!(decide(Person::One(fresh), &needs, at(602)), NextStep::SignIn(SignInReason::LoginRequested));
    let max_age = AuthenticationRequirements { login: false, ..needs };
    assert_eq!(decide(Person::One(fresh), &max_age, at(602)), NextStep::SignIn(SignInReason::MaxAgeExceeded));
}

#[test]
fn core_3_1_2_1_a_sign_in_for_something_else_answers_neither_prompt_login_nor_max_age() {
    let fresh = Person::One(AuthenticationState { auth_time: at(1), ..standing() });
    for (login, max_age, expected) in [
        (true, None, SignInReason::LoginRequested),
        (false, Some(0), SignInReason::MaxAgeExceeded),
        (false, Some(1), SignInReason::MaxAgeExceeded),
    ] {
        let max_age = max_age.map(SignedDuration::from_secs);
        let needs = AuthenticationRequirements { signed_in_for_request: false, login, max_age, ..needs() };
        assert_eq!(decide(fresh, &needs, at(5)), NextStep::SignIn(expected));
        assert_eq!(
            decide(fresh, &AuthenticationRequirements { signed_in_for_request: true, ..needs }, at(5)),
            NextStep::Done
        );
    }
}

#[test]
fn core_3_1_2_1_max_age_counts_whole_seconds() {
    let needs = AuthenticationRequirements { max_age: Some(SignedDuration::from_secs(600)), ..needs() };
    assert_eq!(decide(Person::One(standing()), &needs, at(0)), NextStep::Done);
    assert_eq!(
        decide(Person::One(standing()), &needs, at(1)),
        NextStep::SignIn(SignInReason::MaxAgeExceeded)
    );
}

#[test]
fn core_3_1_2_1_max_age_0_asks_also_within_the_second_of_the_sign_in() {
    let needs = AuthenticationRequirements { max_age: Some(SignedDuration::ZERO), ..needs() };
    let just_now =
        AuthenticationState { auth_time: needs.began_at - SignedDuration::from_millis(1), ..standing() };
    let step = decide(Person::One(just_now), &needs, needs.began_at);
    assert_eq!(step, NextStep::SignIn(SignInReason::MaxAgeExceeded));
}

#[test]
fn a_person_not_admitted_is_not_bothered_with_further_steps() {
    let needs = AuthenticationRequirements {
        entitlement_missing: true,
        min_acr: Some(Acr::Mfa),
        consent: Some(consent()),
        ..needs()
    };
    let password = PasswordStatus::Expired { told: false, code_entered: false };
    let expired = AuthenticationState { password, ..standing() };
    assert_eq!(decide(Person::One(expired), &needs, at(0)), NextStep::NotEntitled);
}

#[test]
fn a_reset_asks_for_a_code_and_never_sets_a_password_without() {
    for needs in every_need() {
        for (code_entered, can_verify, expected) in [
            (false, true, NextStep::Verify(CodePurpose::Recovery)),
            (false, false, NextStep::NoSecondFactor(CodePurpose::Recovery)),
            (true, true, NextStep::NewPassword(NewPasswordReason::Recovery)),
            (true, false, NextStep::NewPassword(NewPasswordReason::Recovery)),
        ] {
            let person = Person::Recovering(Recovering { code_entered, can_verify });
            assert_eq!(decide(person, &needs, at(10)), expected);
        }
    }
}

#[test]
fn a_registration_needs_a_phone_verified_on_its_own_way_before_its_password() {
    for bits in 0..64_u8 {
        let [phone_waits, has_verified_phone, phones_done, can_be_reached, code_entered, can_verify] =
            [1, 2, 4, 8, 16, 32].map(|bit| bits & bit != 0);
        let person = Person::Registering(Registering {
            code_entered,
            can_verify,
            phone_waits,
            can_be_reached,
            has_verified_phone,
            phones_done,
        });
        let expected = if has_verified_phone && !code_entered && can_verify {
            NextStep::Verify(CodePurpose::Registration)
        } else if has_verified_phone && !code_entered {
            NextStep::NoSecondFactor(CodePurpose::Registration)
        } else if phone_waits {
            NextStep::Verify(CodePurpose::Registration)
        } else if has_verified_phone && phones_done {
            NextStep::NewPassword(NewPasswordReason::Registration)
        } else if can_be_reached {
            NextStep::AddPhones
        } else {
            NextStep::NoSecondFactor(CodePurpose::Registration)
        };
        assert_eq!(decide(person, &needs(), at(10)), expected);
    }
}
