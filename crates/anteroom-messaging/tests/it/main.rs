//! The ways out, against servers of our own that speak SMTP and HTTP, and against a real mail server, over loopback.

#![cfg(test)]

mod callbacks;
mod doubles;
mod mail_server;
mod office;
mod sending;
mod worker;
