//! Every route has a limit.

use anteroom_testkit::{Backend, TestProvider, on_both_databases};
use reqwest::Method;
use reqwest::header::HeaderMap;

on_both_databases!(every_route_turns_away_who_asks_too_often,);

async fn every_route_turns_away_who_asks_too_often(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.request.max", "1").start().await;
    for (number, route) in provider.routes().iter().enumerate() {
        let path = route.replace(['{', '}', '*'], "x");
        for (method, net) in [(Method::GET, 0), (Method::POST, 1)] {
            let mut headers = HeaderMap::new();
            let address = format!("203.0.{}.{}", 112 + net, number);
            headers.insert("x-forwarded-for", address.parse().unwrap());
            let ask = || provider.ask(method.clone(), &path, headers.clone(), Vec::new());
            assert_ne!(ask().await.status, 429, "{method} {route}");
            assert_eq!(ask().await.status, 429, "{method} {route}");
        }
    }
}
