//! The C API, called as C calls it.

mod codes;
mod conversation;
mod kit;
mod misuse;
