//! Cargo watches the theme files that were embedded last time; this has it watch for new ones.

fn main() {
    println!("cargo::rerun-if-changed=../../themes/default");
}
