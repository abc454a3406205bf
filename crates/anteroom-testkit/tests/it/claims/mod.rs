//! Who people are to applications, and what is said of them: OpenID Connect Core §5, §8.

mod id_token;
mod mapping;
mod pairwise;
mod profile;
mod sector;
mod usernames;
