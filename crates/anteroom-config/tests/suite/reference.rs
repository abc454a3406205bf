//! The reference page is what the code knows.

use anteroom_config::reference_markdown;
use std::fs;
use std::path::Path;

#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/reference/configuration.md");
    let page = reference_markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/src/reference/configuration.md is old: UPDATE_DOCS=1 cargo test -p anteroom-config"
    );
}
