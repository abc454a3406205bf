//! The ways out, against servers of our own that speak SMTP and HTTP, over loopback.

#![cfg(test)]

mod callbacks;
mod doubles;
mod office;
mod sending;
mod worker;
