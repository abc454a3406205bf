//! How tight a limit may be set before it shuts out those whom it is to serve, and what happens then.

use super::{Limit, hours, minutes};
use crate::rate::RateLimit;
use jiff::SignedDuration;

/// A limit below this gets a warning from `anteroom check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecommendedMinimum {
    pub rate: RateLimit,
    /// What happens below it.
    pub consequence: &'static str,
}

impl RecommendedMinimum {
    /// The longest window in which `max` still allows the recommended rate; at least the recommended window itself.
    pub fn longest_window_of(self, max: u32) -> SignedDuration {
        let RateLimit { max: least, window } = self.rate;
        let seconds = window.as_secs().saturating_mul(max.into()) / i64::from(least.max(1));
        window.max(SignedDuration::from_secs(seconds))
    }
}

macro_rules! floors {
    ($($limit:ident $rate:expr, $below:literal;)*) => {
        impl Limit {
            pub const fn recommended_minimum(self) -> RecommendedMinimum {
                match self {
                    $(Self::$limit => RecommendedMinimum { rate: $rate, consequence: $below },)*
                }
            }
        }
    };
}

floors! {
    SignIn minutes(30, 60), "the people of an office, which shares one address, cannot sign in";
    SignInOfKnownDevice minutes(3, 60), "a guest on a network can keep people from signing in at their own desks";
    RightPassword minutes(5, 60), "people in a new browser, or in one that clears its cookies, cannot sign in with the right password";
    Recovery minutes(10, 60), "people who forgot their passwords get no mail where others at their address asked before";
    Invitation minutes(10, 60), "invited people get no further invitation where others at their address asked before";
    MailRequestRows minutes(100, 120), "one person can keep a whole network from mails about forgotten passwords and from invitations";
    ClientRegistration hours(3, 24), "an application that has failed to register cannot try again";
    FormOfSession minutes(10, 30), "people cannot finish a second factor, a consent or a new phone";
    FirstFormsOfSession minutes(3, 30), "a thief of the password can use up the forms that the owner needs";
    FormOfAccount minutes(20, 30), "people who are signed in in several browsers cannot finish what they began";
    FormOfAddress minutes(30, 60), "the people of an office, which shares one address, cannot finish a reset or a registration";
    StaleFormOfAddress minutes(10, 60), "people whose page was open for long are refused in place of getting a fresh one";
    InteractionRows hours(100, 24), "requests that do not fit into a page are refused to a whole network";
    SignOut minutes(5, 60), "people cannot sign out";
    NewPassword minutes(3, 60), "people whose first choice is refused cannot choose another password";
    RequestUri minutes(30, 60), "applications that send a `request_uri` cannot sign people in";
    RequestUriOfClient minutes(15, 60), "an application that sends a `request_uri` cannot sign people in";
    RequestUriOfRegistered minutes(15, 60), "applications that registered themselves and send a `request_uri` cannot sign people in";
    RequestUriOfRegisteredClient minutes(7, 60), "an application that registered itself and sends a `request_uri` cannot sign people in";
    PushedOfClient minutes(60, 60), "an application that pushes its requests cannot sign people in";
    PushedOfAddress minutes(60, 60), "applications that share an address and push their requests cannot sign people in";
    AssertionOfClient minutes(300, 60), "an application that proves itself with assertions gets no tokens";
    AssertionOfAddress minutes(300, 60), "applications that share an address and prove themselves with assertions get no tokens";
    Revocation minutes(30, 60), "tokens that an application gives back stay good";
    PhoneNumber hours(5, 24), "a person who mistypes, or a phone that several people share, gets no more codes for a day";
    PhoneNumberBesidesRecovery hours(3, 24), "a person who mistypes, or a phone that several people share, gets no more codes for a day";
    PhoneNumberOfOtherDevices hours(3, 24), "a person who mistypes at a new device, or a phone that several people share, gets no more codes for a day";
    PhonePrefix hours(10, 6), "a practice whose numbers begin alike gets no more codes";
    PhoneOverall hours(20, 6), "no code goes out by text or call for hours";
    Request minutes(600, 5), "the people of an office, which shares one address, get no pages";
    ClientRequest minutes(600, 5), "an application gets no tokens";
    Authorization minutes(30, 60), "people are not let into an application that they open often, or that renews its sign-in in silence";
    AuthorizationOfSession minutes(60, 60), "people are not let into their applications";
    AuthorizationOfAccount minutes(120, 60), "people who are signed in in several browsers are not let into their applications";
    Refresh minutes(10, 60), "people are signed out of applications that refresh their tokens often";
    RepeatNotice hours(1, 24), "people are not told";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_may_take_longer() {
        let floor = RecommendedMinimum { rate: minutes(5, 60), consequence: "it hurts" };
        for (max, longest) in [(1, 60), (5, 60), (10, 120), (30, 360)] {
            assert_eq!(floor.longest_window_of(max), SignedDuration::from_mins(longest), "{max}");
        }
    }

    #[test]
    fn no_limit_is_too_tight_by_default() {
        for limit in Limit::ALL {
            let (default, floor) = (limit.definition().default, limit.recommended_minimum());
            assert!(floor.rate.max <= default.max && floor.rate.window >= default.window, "{limit:?}");
            assert!(!floor.consequence.is_empty() && !floor.consequence.ends_with('.'), "{limit:?}");
        }
    }
}
