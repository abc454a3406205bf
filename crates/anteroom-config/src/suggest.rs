//! "Did you mean": the nearest of the names that would have been right.

/// The candidate nearest to `given`, if it is near enough to be a slip.
pub(crate) fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let normal = |text: &str| text.to_lowercase().replace('-', "_");
    let given = normal(given);
    let tolerance = (given.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&given, &normal(candidate)), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["listen", "trusted_proxies", "max_body"];
        for (given, expected) in [
            ("lisen", Some("listen")),
            ("Listen", Some("listen")),
            ("trusted-proxy", Some("trusted_proxies")),
            ("maxBody", Some("max_body")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(nearest(given, known), expected, "{given}");
        }
    }
}
