//! What a router answers. axum keeps its routes to itself, unless it is printed.

use axum::Router;

/// The paths of all routes, and, as `/{*…}`, what is answered beside them. There is no second list that could lack one.
pub(crate) fn of(router: &Router) -> Vec<String> {
    let printed = format!("{router:?}");
    let named = printed.split("RouteId(").filter_map(|entry| entry.split_once("): \"")?.1.split_once('"'));
    let mut paths: Vec<String> = named.map(|(path, _)| path.to_owned()).collect();
    paths.sort();
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    use super::of;
    use axum::Router;
    use axum::routing::{get, post};

    #[test]
    fn routes_are_those_of_the_router_and_of_what_was_merged_into_it() {
        let inner = Router::new().route("/b/{name}", post(|| async {})).route("/b", get(|| async {}));
        let router = Router::new().route("/a", get(|| async {})).merge(inner).fallback(|| async {});
        let found = of(&router);
        let named: Vec<&String> =
            found.iter().filter(|path| *path != "/" && !path.starts_with("/{*")).collect();
        assert_eq!(named, ["/a", "/b", "/b/{name}"]);
    }
}
