//! What makes the five applications look different: icon, colour (by the body's class) and sample screen.

use crate::config::Screen;

pub(crate) const STYLESHEET: &str = include_str!("../../assets/app.css");

pub(crate) const fn icon(screen: Screen) -> &'static str {
    match screen {
        Screen::Schedule => include_str!("../../assets/icons/schedule.svg"),
        Screen::PatientForms => include_str!("../../assets/icons/patient-forms.svg"),
        Screen::SecureMail => include_str!("../../assets/icons/secure-mail.svg"),
        Screen::Imaging => include_str!("../../assets/icons/imaging.svg"),
        Screen::Analytics => include_str!("../../assets/icons/analytics.svg"),
    }
}

pub(super) const fn sample(screen: Screen) -> &'static str {
    match screen {
        Screen::Schedule => include_str!("../../assets/screens/schedule.html"),
        Screen::PatientForms => include_str!("../../assets/screens/patient-forms.html"),
        Screen::SecureMail => include_str!("../../assets/screens/secure-mail.html"),
        Screen::Imaging => include_str!("../../assets/screens/imaging.html"),
        Screen::Analytics => include_str!("../../assets/screens/analytics.html"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_says_that_it_is_one_and_needs_no_exception_from_the_policy() {
        for screen in Screen::ALL {
            let html = sample(screen);
            assert!(html.contains("Sample data"), "{}", screen.slug());
            assert!(html.contains(r#"id="screen-title""#), "{}", screen.slug());
            for forbidden in ["<script", "style=", "http:", "https:"] {
                assert!(!html.contains(forbidden), "{} has {forbidden}", screen.slug());
            }
        }
    }

    #[test]
    fn every_application_has_its_icon_and_its_colour() {
        for screen in Screen::ALL {
            assert!(icon(screen).starts_with("<svg"));
            assert!(STYLESHEET.contains(&format!("body.{} ", screen.slug())), "{}", screen.slug());
        }
    }
}
