//! The core of martlet inside other runtimes. Each module is an adapter to be copied: it moves octets and knows no rule.
#![forbid(unsafe_code)]

pub mod futures;
pub mod message;
pub mod tokio;
