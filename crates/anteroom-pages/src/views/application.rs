use serde::Serialize;

/// The application that a page names; templates get it as `application_name` and `host`. An application that registered
/// itself chose its name, which may equal another's: so it is named with the hosts to which its responses go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Application {
    application_name: Option<String>,
    /// Hosts, or schemes of an app.
    host: Option<String>,
}

impl Application {
    /// The page names no application.
    pub fn unnamed() -> Self {
        Self::default()
    }

    /// The operator chose the name.
    pub fn configured(name: &str) -> Self {
        Self { application_name: Some(name.to_owned()), host: None }
    }

    /// For a name that the application chose, or a page that shows the hosts of every application.
    pub fn with_hosts(name: &str, hosts: &[String]) -> Self {
        Self { application_name: Some(name.to_owned()), host: Some(hosts.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_that_an_application_chose_stands_with_its_hosts() {
        let hosts = ["one.example".to_owned(), "two.example".to_owned()];
        for (application, name, host) in [
            (Application::unnamed(), json!(null), json!(null)),
            (Application::configured("Schedule"), json!("Schedule"), json!(null)),
            (
                Application::with_hosts("Schedule", &hosts),
                json!("Schedule"),
                json!("one.example, two.example"),
            ),
        ] {
            assert_eq!(
                serde_json::to_value(application).unwrap(),
                json!({ "application_name": name, "host": host })
            );
        }
    }
}
